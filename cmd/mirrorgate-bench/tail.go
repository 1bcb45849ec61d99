package main

import (
	"time"

	"github.com/mirrorgate/mirrorgate/bench"
	"github.com/mirrorgate/mirrorgate/cmd/internal/benchflags"
)

type tailCmd struct {
	Rounds    int           `default:"9" placeholder:"N" help:"Times that each agent is measured on a quiet host."`
	Disturbed int           `default:"3" placeholder:"N" help:"Times that each disturbance is measured."`
	Warmup    time.Duration `default:"500ms" placeholder:"TIME" help:"Time before each measurement."`
	Duration  time.Duration `default:"2s" placeholder:"TIME" help:"Time that each run is measured."`
	benchflags.Output
}

// Run measures the tail and reports.
func (c *tailCmd) Run() error {
	run, err := productRun()
	if err != nil {
		return err
	}
	run.Load.Warmup, run.Load.Duration = c.Warmup, c.Duration
	ctx, stop := interruptible()
	defer stop()
	r, err := bench.Tail(ctx, bench.TailConfig{Run: run, Rounds: c.Rounds, Disturbed: c.Disturbed})
	if err != nil {
		return err
	}
	return c.Write(r.WriteText, r.WriteJSON)
}

// Help is what --help shows above the options.
func (*tailCmd) Help() string {
	return `How long an ACK takes at the worst: on a quiet host, beside an agent that only acknowledges and beside the floor, and with something that disturbs, all in turns:

    mirrorgate-bench tail
    mirrorgate-bench tail --rounds 3 --disturbed 1 --duration 1s`
}
