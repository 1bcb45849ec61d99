// Command mirrorgate-bench compares SPOP agents, and writes what it finds. What
// draws pictures is linked into this program and not into mirrorgate.
//
// The way through the files:
//
//	main.go        the command line
//	compare.go     two agents in turns
//	scale.go       cost against size; plot.go draws it
//	tail.go        the longest ACKs
//	floor.go       being the floor relay, and a target that counts
//	results.go     all of it in one file
//	production.go  and with HAProxy in front: what its clients see
//	versions.go    and what the filter costs it, by version
//	haproxy.go     how it is started; wrk.go is what asks it, program.go what else runs
//	cores.go       on which cores
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/mirrorgate/mirrorgate/bench"
	"github.com/mirrorgate/mirrorgate/cmd/internal/benchflags"
	_ "github.com/mirrorgate/mirrorgate/cmd/internal/stdlog"
)

type cli struct {
	Compare compareCmd `cmd:"" help:"Measure two agents in turns under the same load."`
	Scale   scaleCmd   `cmd:"" help:"Measure the cost against targets, connections, bodies and batch."`
	Tail    tailCmd    `cmd:"" help:"Measure how long an ACK takes at the worst, quiet and disturbed."`
	Floor   floorCmd   `cmd:"" help:"Be the cheapest relay that can be written, to compare with."`
	Sink    sinkCmd    `cmd:"" hidden:"" help:"Be a target that only counts."`
	Results resultsCmd `cmd:"" help:"Measure all of it and write a report."`
}

// The exit codes besides 0.
const (
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	ctx, err := newParser(new(cli)).Parse(os.Args[1:])
	if err != nil {
		fail(fmt.Errorf("%w; see mirrorgate-bench --help", err), exitUsage)
	}
	if err := ctx.Run(); err != nil {
		fail(err, exitFailed)
	}
}

func newParser(c *cli) *kong.Kong {
	return kong.Must(c, kong.Name("mirrorgate-bench"), kong.Vars(benchflags.Vars()),
		kong.Description("Compare SPOP agents: mirrorgate with the cheapest relay that can be written, with an older one, or with any other."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}))
}

// fail ends the process with one line that says why.
func fail(err error, code int) {
	fmt.Fprintf(os.Stderr, "mirrorgate-bench: %s\n", strings.ReplaceAll(err.Error(), "\n", " "))
	os.Exit(code)
}

// interruptible ends at the first signal, so that no agent is left behind.
func interruptible() (context.Context, context.CancelFunc) {
	return signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
}

// withPrograms fills in where the programs are: mirrorgate is beside this one.
func withPrograms(cfg bench.RunConfig) (bench.RunConfig, error) {
	self, err := os.Executable()
	if err != nil {
		return cfg, fmt.Errorf("cannot find this binary: %w", err)
	}
	cfg.Bench, cfg.Mirrorgate = self, filepath.Join(filepath.Dir(self), "mirrorgate")
	return cfg, nil
}

const commandHelp = "In the command line of an agent " + bench.Placeholders + " mirrorgate is\n\n    " +
	bench.DefaultCommand + "\n\nand the floor\n\n    " + bench.FloorCommand + "\n\nOne with goroutines for its connections to the targets, as it was at first, has --goroutines behind it."
