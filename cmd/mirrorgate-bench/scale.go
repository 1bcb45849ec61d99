package main

import (
	"cmp"
	"io"

	"github.com/mirrorgate/mirrorgate/bench"
	"github.com/mirrorgate/mirrorgate/cmd/internal/benchflags"
)

type scaleCmd struct {
	Exec string `placeholder:"COMMAND" help:"The agent (default: mirrorgate)." group:"Agent"`
	Plot string `placeholder:"FILE" help:"Draw the cost into this file (.svg or .png)." group:"Output"`
	benchflags.Sizes
	benchflags.Load
	benchflags.Sinks
	benchflags.Output
}

// Run measures all sizes and reports.
func (c *scaleCmd) Run() error {
	cfg, err := withPrograms(benchflags.Config(c.Sizes, c.Load, c.Sinks))
	if err != nil {
		return err
	}
	cfg.Command = cmp.Or(c.Exec, bench.DefaultCommand)
	ctx, stop := interruptible()
	defer stop()
	sweeps, err := bench.Scale(ctx, cfg)
	if err != nil {
		return err
	}
	if c.Plot != "" {
		if err := savePlot(c.Plot, sweeps); err != nil {
			return err
		}
	}
	return c.Write(
		func(w io.Writer) error { return bench.WriteSweepsText(w, sweeps) },
		func(w io.Writer) error { return bench.WriteSweepsJSON(w, sweeps) })
}

// Help is what --help shows above the options.
func (*scaleCmd) Help() string {
	return `A table for each, and a picture:

    mirrorgate-bench scale --rate 20000 --plot cost.svg

` + commandHelp
}
