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
	Tail   TailConfig
	Micro  string // output of Go's micro-benchmarks, or ""

	// Production is a section in Markdown on what HAProxy's clients see, or "".
	Production string
}

// scaleRate is a rate that every size of the sweeps can carry.
const scaleRate = 20_000

// WriteResults measures mirrorgate against the floors, its goals, its tail and all
// sizes of Scale, writes a report in Markdown and returns the sizes, whose picture
// the report shows as scale.svg. If a run fails it ends, and what was written is of
// no use.
func WriteResults(ctx context.Context, w io.Writer, cfg ResultsConfig) ([]Sweep, error) {
	fmt.Fprintf(w, `# Results

Measured on %s, shared by the agent, the generator and the sink, by

    make bench

Ratios are medians of %d rounds in turns, %s each, if nothing else is said. The floor
is the cheapest relay that can be written, which parses and checks nothing; it has
its connections to the targets on its event loops. The floor with goroutines has one
for each of them.
`, machine(), cfg.Rounds, cfg.Run.Load.Duration)
	var sweeps []Sweep
	for _, section := range []func() error{
		func() error { return writeFloors(ctx, w, cfg) },
		func() error { return writeGoals(ctx, w, cfg) },
		func() error { return writeTail(ctx, w, cfg) },
		func() error { return writeSizing(ctx, w, cfg) },
		func() (err error) {
			sweeps, err = writeScale(ctx, w, cfg)
			return err
		},
	} {
		if err := section(); err != nil {
			return nil, err
		}
	}
	if cfg.Production != "" {
		fmt.Fprintf(w, "\n## With HAProxy in front\n\n%s", cfg.Production)
	}
	if cfg.Micro != "" {
		fmt.Fprintf(w, "\n## Micro-benchmarks\n\n```\n%s\n```\n", strings.TrimSpace(cfg.Micro))
	}
	return sweeps, nil
}

func writeFloors(ctx context.Context, w io.Writer, cfg ResultsConfig) error {
	rows, err := floorRows(ctx, cfg.Run, cfg.Rounds)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\n## Beside the floors\n\n    mirrorgate-bench compare --rate=40000 --b '%s'\n\nfor each of them:\n\n", GoroutineFloorCommand)
	writeMarkdown(w, rows)
	return nil
}

func writeGoals(ctx context.Context, w io.Writer, cfg ResultsConfig) error {
	found, err := findGoals(ctx, cfg.Run, cfg.Rounds)
	if err != nil {
		return err
	}
	fmt.Fprint(w, "\n## What else is asked\n\n")
	writeMarkdown(w, goalRows(found))
	return nil
}

func writeTail(ctx context.Context, w io.Writer, cfg ResultsConfig) error {
	report, err := Tail(ctx, cfg.Tail)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, `
## The longest ACKs

    mirrorgate-bench tail --rounds=%d --disturbed=%d --duration=%s

On a quiet host, medians of %d turns, the longest of all. Asked of mirrorgate: at
1,000/s a p50 of at most 1.1 × that of an agent that only acknowledges, at 10,000/s
and 60,000/s a p99 of at most 1.2 × the floor's.

`, cfg.Tail.Rounds, cfg.Tail.Disturbed, cfg.Tail.Run.Load.Duration, cfg.Tail.Rounds)
	writeMarkdown(w, report.quietTable())
	fmt.Fprintf(w, `
With something that disturbs, at %d requests/s with %s, medians of %d turns. Asked:
a p99 of at most 3 × the quiet one and 5 ms, and at most 128 MiB.

`, disturbedRate, strings.TrimSpace(disturbedMemory), cfg.Tail.Disturbed)
	writeMarkdown(w, report.disturbedTable())
	return nil
}

// sizingRounds are few: the table is for planning, not for comparing.
const sizingRounds = 2

func writeSizing(ctx context.Context, w io.Writer, cfg ResultsConfig) error {
	costs, err := sizing(ctx, cfg.Run, sizingRounds)
	if err != nil {
		return err
	}
	idle, each := line(costs)
	fmt.Fprintf(w, `
## The cost at a rate

    mirrorgate bench run --rate RATE

With the defaults, small GETs and one target, medians of %d turns. All of it is at
most %s %% of a core and %s µs for each request.

`, sizingRounds, number(idle/1e4), number(each))
	writeMarkdown(w, sizingRows(costs))
	return nil
}

func writeScale(ctx context.Context, w io.Writer, cfg ResultsConfig) ([]Sweep, error) {
	run := cfg.Run
	run.Load.Rate = scaleRate
	sweeps, err := Scale(ctx, run)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(w, "\n## Cost against size\n\n    mirrorgate-bench scale --rate=%d --duration=%s\n\n![cost against size](scale.svg)\n", scaleRate, run.Load.Duration)
	for _, s := range sweeps {
		fmt.Fprintln(w)
		writeMarkdown(w, s.rows())
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
