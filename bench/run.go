package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// RunConfig says what to measure.
type RunConfig struct {
	// Agent is the address of an agent that runs already ("host:port" or
	// "unix:/path") and sends to Sink.Addr. If empty, Command is started.
	Agent string
	// Command is a command line with Placeholders.
	Command string
	Conns   int // what {conns} becomes
	Batch   int // what {batch} becomes
	// Mirrorgate and Bench are paths of the two programs, {self} and {bench}.
	Mirrorgate, Bench string

	Sink     SinkConfig
	Load     Load
	Progress io.Writer // a terminal that shows how it goes, or nil

	stuckLog bool // nobody reads what the agent says
}

// DefaultRun measures mirrorgate, whose path is missing still, in a closed loop.
func DefaultRun() RunConfig {
	return RunConfig{
		Command: DefaultCommand, Conns: 64, Batch: 1,
		Sink: SinkConfig{Addr: "127.0.0.1:0", Targets: 1, Mode: SinkOK, Delay: 10 * time.Millisecond},
		Load: DefaultLoad,
	}
}

func (cfg RunConfig) validate() error {
	if cfg.Agent == "" && cfg.Command == "" {
		return errors.New("there is no agent to measure: give its address or its command line")
	}
	if cfg.Agent != "" && cfg.Sink.Targets > 0 && cfg.Sink.anyPort() {
		return errors.New("a running agent needs a sink on the address that it sends to: give one, or measure with 0 targets")
	}
	if cfg.Conns < 1 || cfg.Batch < 1 {
		return fmt.Errorf("conns and batch must be 1 or more, not %d and %d", cfg.Conns, cfg.Batch)
	}
	return cfg.Load.validate()
}

// Run starts the sinks and the agent, drives the load and stops them again. It
// returns within the load's duration and a bound: no agent can make it hang. An
// error means that the report is no measurement; what it has is what was seen.
func Run(ctx context.Context, cfg RunConfig) (Report, error) {
	r, err := runBeside(ctx, cfg, nil)
	if err != nil {
		return r, err
	}
	return r, r.check()
}

// runBeside is like Run with something that goes on beside the load, until its
// context ends, and may fail. What is delivered of it is in the report, too, so
// that its sums are not checked.
func runBeside(ctx context.Context, cfg RunConfig, beside func(context.Context, *agent) error) (Report, error) {
	if err := cfg.validate(); err != nil {
		return Report{}, err
	}
	sinks, err := listenSinks(cfg.Sink)
	if err != nil {
		return Report{}, err
	}
	defer sinks.close()
	a, err := startAgent(ctx, cfg, sinks.addrs())
	if err != nil {
		return Report{}, err
	}
	defer a.stop()
	ctx, cancel := a.context(ctx)
	defer cancel()
	g, err := DialGenerator(ctx, a.addr, cfg.Load)
	if err != nil {
		return Report{}, a.explain(err)
	}
	ends := func() {}
	if beside != nil {
		ctx, ends = goBeside(ctx, func(ctx context.Context) error { return beside(ctx, a) })
		defer ends()
	}
	r, err := measure(ctx, cfg, g, a, sinks, ends)
	if err != nil {
		return r, a.explain(err)
	}
	return r, nil
}

// goBeside starts f, and returns a context that ends with the error of f, and what
// ends f and waits for that, which may be called again.
func goBeside(ctx context.Context, f func(context.Context) error) (context.Context, func()) {
	beside, stop := context.WithCancel(ctx)
	ctx, cancel := context.WithCancelCause(ctx)
	var done sync.WaitGroup
	done.Go(func() {
		if err := f(beside); err != nil {
			cancel(fmt.Errorf("cannot go on with what is beside the load: %w", err))
		}
	})
	return ctx, func() {
		stop()
		done.Wait()
	}
}

// measure drives the load of g and waits for what comes of it. When the load is
// over it calls ended, before it waits.
func measure(ctx context.Context, cfg RunConfig, g *Generator, a *agent, sinks sinks, ended func()) (Report, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w := window{g: g, agent: a, sinks: sinks}
	var watched error
	taken := make(chan struct{})
	g.hold = taken
	go func() {
		if watched = w.watch(ctx, cfg.Load); watched != nil {
			cancel(watched)
		}
		close(taken)
	}()
	bar := showProgress(cfg.Progress, g)
	traffic, err := g.Run(ctx)
	bar.stop()
	if err != nil {
		cancel(err)
	}
	<-taken
	ended()
	if err := cmp.Or(err, watched); err != nil {
		return Report{}, err
	}
	if err := cmp.Or(sinks.awaitDeliveries(ctx, traffic.Acked, cfg.Sink), sinks.err()); err != nil {
		return Report{}, err
	}
	u, err := a.usage()
	if err != nil {
		return Report{}, err
	}
	return newReport(cfg, a, traffic, &w, u, sinks), nil
}
