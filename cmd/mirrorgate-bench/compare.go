package main

import (
	"cmp"

	"github.com/mirrorgate/mirrorgate/bench"
	"github.com/mirrorgate/mirrorgate/cmd/internal/benchflags"
)

type compareCmd struct {
	A      string `placeholder:"COMMAND" help:"The one agent (default: mirrorgate)." group:"Agent"`
	B      string `placeholder:"COMMAND" help:"The other agent (default: the floor)." group:"Agent"`
	Rounds int    `default:"5" placeholder:"N" help:"Times that both are measured." group:"Load"`
	benchflags.Sizes
	benchflags.Load
	benchflags.Sinks
	benchflags.Output
}

// Run compares and reports.
func (c *compareCmd) Run() error {
	cfg, err := withPrograms(benchflags.Config(c.Sizes, c.Load, c.Sinks))
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	r, err := bench.Compare(ctx, cfg, cmp.Or(c.A, bench.DefaultCommand), cmp.Or(c.B, bench.FloorCommand), c.Rounds)
	if err != nil {
		return err
	}
	return c.Write(r.WriteText, r.WriteJSON)
}

// Help is what --help shows above the options.
func (*compareCmd) Help() string {
	return `Against the cheapest relay that can be written, and against another binary:

    mirrorgate-bench compare
    mirrorgate-bench compare --b '/usr/local/bin/mirrorgate --listen {listen} --admin= --target http://{target}'

` + commandHelp
}
