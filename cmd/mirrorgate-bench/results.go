package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/mirrorgate/mirrorgate/bench"
	"github.com/mirrorgate/mirrorgate/cmd/internal/benchflags"
	"github.com/mirrorgate/mirrorgate/fanout"
)

type resultsCmd struct {
	Out      string        `default:"bench/RESULTS.md" placeholder:"FILE" help:"Markdown file to write; the picture scale.svg goes beside it."`
	Micro    string        `type:"existingfile" placeholder:"FILE" help:"Output of Go's micro-benchmarks to take in."`
	Rounds   int           `default:"6" placeholder:"N" help:"Times that each comparison is measured."`
	Duration time.Duration `default:"2s" placeholder:"TIME" help:"Time that each run is measured."`
	HAProxy  []string      `name:"haproxy" sep:"none" type:"existingdir" placeholder:"DIR" help:"Folder with a haproxy to measure in front as well, as .ci/haproxy prints it. Repeatable."`
}

// Run measures everything, and writes nothing if a run fails.
func (c *resultsCmd) Run() error {
	ctx, stop := interruptible()
	defer stop()
	run, err := productRun()
	if err != nil {
		return err
	}
	run.Load.Warmup, run.Load.Duration = 300*time.Millisecond, c.Duration
	cfg := bench.ResultsConfig{
		Run: run, Rounds: c.Rounds,
		Tail: bench.TailConfig{Run: run, Rounds: (3*c.Rounds + 1) / 2, Disturbed: (c.Rounds + 1) / 2},
	}
	if c.Micro != "" {
		micro, err := os.ReadFile(c.Micro)
		if err != nil {
			return fmt.Errorf("cannot read --micro: %w", err)
		}
		cfg.Micro = string(micro)
	}
	if cfg.Production, err = benchProduction(ctx, run, productionRounds, productionDuration); err != nil {
		return err
	}
	versions, err := benchVersions(ctx, run, c.HAProxy, versionRounds, versionDuration)
	if err != nil {
		return err
	}
	cfg.Production += versions
	var text bytes.Buffer
	sweeps, err := bench.WriteResults(ctx, &text, cfg)
	if err != nil {
		return err
	}
	if err := savePlot(filepath.Join(filepath.Dir(c.Out), "scale.svg"), sweeps); err != nil {
		return err
	}
	if err := os.WriteFile(c.Out, text.Bytes(), 0o644); err != nil {
		return fmt.Errorf("cannot write the results: %w", err)
	}
	return nil
}

// productRun measures mirrorgate with its defaults.
func productRun() (bench.RunConfig, error) {
	run, err := withPrograms(bench.DefaultRun())
	if err != nil {
		return run, err
	}
	product := fanout.DefaultTarget()
	run.Conns, run.Batch, run.Progress = product.Conns, max(1, product.Batch), benchflags.Progress()
	return run, nil
}
