package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/mirrorgate/mirrorgate/bench"
	"github.com/mirrorgate/mirrorgate/cmd/internal/haproxy"
	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/options"
	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/readings"
)

type demoCmd struct {
	Duration options.Duration `default:"5s" placeholder:"TIME" help:"How long to send traffic."`
	Rate     int              `default:"500" placeholder:"N" help:"Requests a second through HAProxy with mirroring, and as many without."`
}

var errSums = errors.New("the accounting does not add up")

// Validate is called by the parser.
func (d *demoCmd) Validate() error {
	if d.Rate < 1 || d.Rate > 100_000 {
		return errors.New("--rate should be from 1 to 100000 requests a second")
	}
	return nil
}

// Run plays the demo. The error says what could not be started, or that the sums
// are wrong.
func (d *demoCmd) Run() error {
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	s, err := newStage(os.Stderr)
	if err != nil {
		return err
	}
	defer s.close()
	for _, line := range s.gateway.fanout.Describe() {
		fmt.Println(line)
	}
	play := d.throughHAProxy
	if _, err := haproxy.Find(); err != nil {
		fmt.Printf("%v: playing its part with the load generator\n", err)
		play = d.throughGenerator
	}
	result, err := play(ctx, s)
	if err != nil {
		return err
	}
	s.settle()
	result.accounting = readings.Read(s.set)
	result.count(s)
	result.print(os.Stdout)
	if len(result.mistakes) > 0 {
		return errSums
	}
	return nil
}

func (d *demoCmd) throughHAProxy(ctx context.Context, s *stage) (*demoResult, error) {
	h, plain, mirrored, err := startDemoHAProxy(ctx, s.origin.Addr(), s.agent())
	if err != nil {
		return nil, err
	}
	defer h.Stop()
	fmt.Printf("sending %d requests/s through HAProxy with mirroring, and as many without, for %v\n", d.Rate, time.Duration(d.Duration))
	p := newProduction(plain, mirrored)
	stop := d.watch(s)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, time.Duration(d.Duration))
	defer cancel()
	p.drive(ctx, d.Rate)
	return &demoResult{production: p, mirrored: p.mirrored.answered.Load() + p.mirrored.failed.Load()}, nil
}

func (d *demoCmd) throughGenerator(ctx context.Context, s *stage) (*demoResult, error) {
	load := bench.DefaultLoad
	load.Rate, load.Warmup, load.Duration = float64(d.Rate), 0, time.Duration(d.Duration)
	g, err := bench.DialGenerator(ctx, s.agent(), load)
	if err != nil {
		return nil, err
	}
	fmt.Printf("sending %d requests/s over SPOP for %v\n", d.Rate, time.Duration(d.Duration))
	stop := d.watch(s)
	defer stop()
	traffic, err := g.Run(ctx)
	if err != nil && ctx.Err() == nil {
		return nil, err
	}
	return &demoResult{acks: traffic.Latency, mirrored: int64(traffic.Sent)}, nil
}

// watch writes a line each second until the returned function is called, if
// there is somebody to read it.
func (d *demoCmd) watch(s *stage) (stop func()) {
	if !term.IsTerminal(int(os.Stdout.Fd())) {
		return func() {}
	}
	ticker := time.NewTicker(time.Second)
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-ticker.C:
				fmt.Print("\r\033[K" + liveLine(readings.Read(s.set)))
			case <-done:
				fmt.Print("\r\033[K")
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
