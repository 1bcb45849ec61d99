package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/mirrorgate/mirrorgate/bench"
	"github.com/mirrorgate/mirrorgate/cmd/internal/benchflags"
)

// benchCmd measures on the host that it is asked about. What compares, draws and
// writes reports is in the program mirrorgate-bench.
type benchCmd struct {
	Run benchRunCmd `cmd:"" help:"Measure one agent: deliveries, ACK latency, CPU and memory."`
}

type benchRunCmd struct {
	Agent string `xor:"agent" placeholder:"ADDR" help:"Measure an agent that runs already on HOST:PORT or unix:PATH and sends to --sink." group:"Agent"`
	Exec  string `xor:"agent" placeholder:"COMMAND" help:"Start this agent and measure it (default: this binary)." group:"Agent"`
	benchflags.Sizes
	benchflags.Load
	benchflags.Sinks
	benchflags.Output
}

// Run measures and reports.
func (c *benchRunCmd) Run() error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("cannot find this binary: %w", err)
	}
	cfg := benchflags.Config(c.Sizes, c.Load, c.Sinks)
	cfg.Mirrorgate, cfg.Bench = self, filepath.Join(filepath.Dir(self), "mirrorgate-bench")
	cfg.Agent = c.Agent
	cfg.Command = cmp.Or(c.Exec, bench.DefaultCommand)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	r, err := bench.Run(ctx, cfg)
	if err != nil {
		return err
	}
	return c.Write(r.WriteText, r.WriteJSON)
}

// Help is what --help shows above the options.
func (*benchRunCmd) Help() string {
	return `How much this machine can carry, and what it costs at a given rate:

    mirrorgate bench run
    mirrorgate bench run --rate 20000 --targets 4 --body 1000

In the command line of an agent ` + bench.Placeholders + ` This binary is

    ` + bench.DefaultCommand + `

Two agents side by side: mirrorgate-bench compare.

The keys of --json: ` + bench.ReportKeys
}
