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
	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/console"
	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/readings"
	"github.com/mirrorgate/mirrorgate/fanout/compare/verdict"
)

// Demo is what is shown, and where.
type Demo struct {
	Duration time.Duration // of the traffic
	Rate     int           // requests a second with mirroring, and as many without
	Keep     bool          // go on after that, until the context ends
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
		if d.Keep {
			return fmt.Errorf("--keep: %w", err)
		}
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
	return d.judge(s)
}

// judge says whether the new version is like the old one.
func (d *Demo) judge(s *stage) error {
	sums, err := s.gateway.Comparison(newName)
	if err != nil {
		return err
	}
	fmt.Fprintln(d.Out)
	v := verdict.Judge(sums, verdict.Rule{Tolerance: verdict.DefaultTolerance})
	if err := console.WriteVerdict(d.Out, v); err != nil || !d.Keep {
		return err
	}
	return console.WriteNext(d.Out, v, " --admin "+s.gateway.Admin)
}

// invitation is for the address of the page, twice, that of HAProxy, and an item that
// the new version gets wrong.
const invitation = `
It goes on until it is interrupted. The page: http://%s/
    mirrorgate verdict v2 --admin %s
    curl http://%s%s%d
`

func (d *Demo) throughHAProxy(ctx context.Context, s *stage) (*result, error) {
	h, plain, mirrored, err := startHAProxy(ctx, s.origin.Addr(), s.gateway.Addr)
	if err != nil {
		return nil, err
	}
	defer h.Stop()
	fmt.Fprintf(d.Out, "sending %d requests/s through HAProxy with mirroring, and as many without, for %v; watch it at http://%s/\n", d.Rate, d.Duration, s.gateway.Admin)
	p := newProduction(plain, mirrored)
	limited, cancel := context.WithTimeout(ctx, d.Duration)
	defer cancel()
	d.drive(limited, p, s)
	if d.Keep && ctx.Err() == nil {
		if err := d.judge(s); err != nil {
			return nil, err
		}
		fmt.Fprintf(d.Out, invitation, s.gateway.Admin, s.gateway.Admin, mirrored, itemsPath, wrongEvery)
		d.drive(ctx, p, s)
	}
	return &result{production: p, mirrored: p.mirrored.answered.Load() + p.mirrored.failed.Load(), invited: d.Keep}, nil
}

// drive sends traffic until ctx ends, and shows how far it is.
func (d *Demo) drive(ctx context.Context, p *production, s *stage) {
	stop := d.watch(s)
	defer stop()
	p.drive(ctx, d.Rate)
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
