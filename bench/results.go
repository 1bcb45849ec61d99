package bench

import (
	"context"
	"fmt"
	"io"
	"strings"
)

// ResultsConfig says how thoroughly to measure.
type ResultsConfig struct {
	Run    RunConfig // mirrorgate with its defaults in a closed loop
	Rounds int       // of each comparison
	Micro  string    // output of Go's micro-benchmarks, or ""

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

// WriteResults measures mirrorgate against the floor and at all sizes of Scale,
// writes a report in Markdown and returns the sizes, whose picture the report
// shows as scale.svg. If a run fails it ends, and what was written is of no use.
func WriteResults(ctx context.Context, w io.Writer, cfg ResultsConfig) ([]Sweep, error) {
	fmt.Fprintf(w, "# Results\n\nMeasured on %s, shared by the agent, the generator and the sink.\n", machine())
	fmt.Fprintf(w, "A is mirrorgate, B the floor: the cheapest relay that can be written, which parses and checks nothing.\n")
	run := cfg.Run
	for _, s := range settings {
		run.Batch, run.Load.Rate = s.batch, s.rate
		c, err := Compare(ctx, run, DefaultCommand, FloorCommand, cfg.Rounds)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(w, "\n## %s\n\n%s, %d rounds of A B:\n\n", s.name, c.load, c.Rounds)
		fmt.Fprintf(w, "    mirrorgate-bench compare --batch=%d --rate=%.0f --duration=%s --rounds=%d\n\n", s.batch, s.rate, run.Load.Duration, cfg.Rounds)
		writeMarkdown(w, c.rows())
	}

	found, err := ask(ctx, cfg.Run)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(w, "\n## What else is asked\n\nMedians of %d rounds in turns, %s each.\n\n", askedRounds, askedDuration)
	writeMarkdown(w, findingRows(found))

	run.Batch, run.Load.Rate = cfg.Run.Batch, scaleRate
	sweeps, err := Scale(ctx, run)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(w, "\n## Cost against size\n\n    mirrorgate-bench scale --rate=%d --duration=%s\n\n![cost against size](scale.svg)\n", scaleRate, run.Load.Duration)
	for _, s := range sweeps {
		fmt.Fprintln(w)
		writeMarkdown(w, s.rows())
	}
	if cfg.Production != "" {
		fmt.Fprintf(w, "\n## With HAProxy in front\n\n%s", cfg.Production)
	}
	if cfg.Micro != "" {
		fmt.Fprintf(w, "\n## Micro-benchmarks\n\n```\n%s\n```\n", strings.TrimSpace(cfg.Micro))
	}
	return sweeps, nil
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
