package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// ResultsConfig says how thoroughly to measure.
type ResultsConfig struct {
	Rounds   int           // of each comparison
	Duration time.Duration // of each run
	Micro    string        // output of Go's micro-benchmarks, or ""
	Progress io.Writer     // a terminal for the progress bar, or nil

	// Production is a section in Markdown on what HAProxy's clients see, or "".
	Production string
}

// settings are the loads under which this binary is compared with the floor.
var settings = []struct {
	name  string
	batch int
	rate  float64
}{
	{"Small batches: 40,000 requests/s, batch 1", 1, 40_000},
	{"Larger batches: 200,000 requests/s, batch 16", 16, 200_000},
	{"Saturated: closed loop, batch 32", 32, 0},
}

// scaleRate is a rate that every size of the sweeps can carry.
const scaleRate = 20_000

// SaveResults measures this binary against the floor and at all sizes of Scale,
// and writes the file name (Markdown) and a picture, scale.svg, beside it. If a
// run fails it writes nothing.
func SaveResults(ctx context.Context, name string, cfg ResultsConfig) error {
	run := DefaultRun()
	run.Load.Duration = cfg.Duration
	run.Progress = cfg.Progress

	var b bytes.Buffer
	fmt.Fprintf(&b, "# Results\n\nMeasured on %s, shared by the agent, the generator and the sink.\n", machine())
	fmt.Fprintf(&b, "A is mirrorgate, B the floor: the cheapest relay that can be written, which parses and checks nothing.\n")
	for _, s := range settings {
		run.Batch, run.Load.Rate = s.batch, s.rate
		c, err := Compare(ctx, run, DefaultCommand, FloorCommand, cfg.Rounds)
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "\n## %s\n\n%s, %d rounds of A B:\n\n", s.name, c.load, c.Rounds)
		fmt.Fprintf(&b, "    mirrorgate bench compare --batch=%d --rate=%.0f --duration=%s --rounds=%d\n\n", s.batch, s.rate, cfg.Duration, cfg.Rounds)
		writeMarkdown(&b, c.rows())
	}

	run.Batch, run.Load.Rate = DefaultRun().Batch, 0
	found, err := ask(ctx, run)
	if err != nil {
		return err
	}
	fmt.Fprintf(&b, "\n## What else is asked\n\nMedians of %d rounds in turns, %s each.\n\n", askedRounds, askedDuration)
	writeMarkdown(&b, findingRows(found))

	run.Batch, run.Load.Rate = DefaultRun().Batch, scaleRate
	sweeps, err := Scale(ctx, run)
	if err != nil {
		return err
	}
	fmt.Fprintf(&b, "\n## Cost against size\n\n    mirrorgate bench scale --rate=%d --duration=%s\n\n![cost against size](scale.svg)\n", scaleRate, cfg.Duration)
	for _, s := range sweeps {
		b.WriteByte('\n')
		writeMarkdown(&b, s.rows())
	}
	if cfg.Production != "" {
		fmt.Fprintf(&b, "\n## With HAProxy in front\n\n%s", cfg.Production)
	}
	if cfg.Micro != "" {
		fmt.Fprintf(&b, "\n## Micro-benchmarks\n\n```\n%s\n```\n", strings.TrimSpace(cfg.Micro))
	}
	if err := SavePlot(filepath.Join(filepath.Dir(name), "scale.svg"), sweeps); err != nil {
		return err
	}
	if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("cannot write the results: %w", err)
	}
	return nil
}

// writeMarkdown writes a table, its head first.
func writeMarkdown(b io.Writer, rows [][]string) {
	for i, row := range rows {
		fmt.Fprintf(b, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			fmt.Fprintf(b, "|%s\n", strings.Repeat("---|", len(row)))
		}
	}
}
