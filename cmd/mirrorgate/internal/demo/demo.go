package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/mirrorgate/mirrorgate/bench"
	"github.com/mirrorgate/mirrorgate/cmd/internal/haproxy"
	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/readings"
)

// Demo is what is shown, and where.
type Demo struct {
	Duration time.Duration // of the traffic
	Rate     int           // requests a second with mirroring, and as many without
	Out      *os.File      // for whoever watches; with a line that moves if it is a terminal
	Log      io.Writer     // for mirrorgate's errors
	Start    Start
}

var errSums = errors.New("the accounting does not add up")

// Run plays the demo until it is over, or ctx ends. The error says what could not
// be started, or that the sums are wrong.
func (d *Demo) Run(ctx context.Context) error {
	s, err := newStage(d.Log, d.Start)
	if err != nil {
		return err
	}
	defer s.close()
	for _, line := range s.gateway.Plan {
		fmt.Fprintln(d.Out, line)
	}
	play := d.throughHAProxy
	if _, err := haproxy.Find(); err != nil {
		fmt.Fprintf(d.Out, "%v: playing its part with the load generator\n", err)
		play = d.throughGenerator
	}
	r, err := play(ctx, s)
	if err != nil {
		return err
	}
	s.stop()
	r.accounting = readings.Read(s.set)
	r.count(s)
	r.print(d.Out)
	if len(r.mistakes) > 0 {
		return errSums
	}
	return nil
}

func (d *Demo) throughHAProxy(ctx context.Context, s *stage) (*result, error) {
	h, plain, mirrored, err := startHAProxy(ctx, s.origin.Addr(), s.gateway.Addr)
	if err != nil {
		return nil, err
	}
	defer h.Stop()
	fmt.Fprintf(d.Out, "sending %d requests/s through HAProxy with mirroring, and as many without, for %v\n", d.Rate, d.Duration)
	p := newProduction(plain, mirrored)
	stop := d.watch(s)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, d.Duration)
	defer cancel()
	p.drive(ctx, d.Rate)
	return &result{production: p, mirrored: p.mirrored.answered.Load() + p.mirrored.failed.Load()}, nil
}

func (d *Demo) throughGenerator(ctx context.Context, s *stage) (*result, error) {
	load := bench.DefaultLoad
	load.Rate, load.Warmup, load.Duration = float64(d.Rate), 0, d.Duration
	g, err := bench.DialGenerator(ctx, s.gateway.Addr, load)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(d.Out, "sending %d requests/s over SPOP for %v\n", d.Rate, d.Duration)
	stop := d.watch(s)
	defer stop()
	traffic, err := g.Run(ctx)
	if err != nil && ctx.Err() == nil {
		return nil, err
	}
	return &result{acks: traffic.Latency, mirrored: int64(traffic.Sent)}, nil
}

// watch writes a line each second until the returned function is called, if
// there is somebody to read it.
func (d *Demo) watch(s *stage) (stop func()) {
	if !term.IsTerminal(int(d.Out.Fd())) {
		return func() {}
	}
	ticker := time.NewTicker(time.Second)
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-ticker.C:
				fmt.Fprint(d.Out, "\r\033[K"+liveLine(readings.Read(s.set)))
			case <-done:
				fmt.Fprint(d.Out, "\r\033[K")
				return
			}
		}
	}()
	return func() {
		ticker.Stop()
		close(done)
		<-ended
	}
}
