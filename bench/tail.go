package bench

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// This file measures the tail of the ACKs' latencies: of a quiet host beside agents
// that do less, and of one where something disturbs.

// TailConfig says how thoroughly to measure.
type TailConfig struct {
	Run       RunConfig // mirrorgate with its defaults
	Rounds    int       // turns of each agent on a quiet host
	Disturbed int       // turns of each disturbance
}

// TailReport has the figures of both parts.
type TailReport struct {
	Quiet     []TailRow `json:"quiet"`
	Disturbed []TailRow `json:"disturbed"` // the first one is quiet
}

// TailRow is one agent at one rate, or one disturbance. Latencies are in
// microseconds, medians of the turns but for Longest, which is of all of them.
type TailRow struct {
	What    string  `json:"what"`
	Rate    float64 `json:"rate"` // requests a second
	P50     float64 `json:"p50"`
	P99     float64 `json:"p99"`
	P999    float64 `json:"p99_9"`
	Longest float64 `json:"longest"`
	PeakRSS uint64  `json:"peak_rss_bytes"` // the largest
	// P50Ratio and P99Ratio are mirrorgate's latency to this agent's, the medians of
	// the ratios in each turn.
	P50Ratio float64 `json:"p50_ratio,omitempty"`
	P99Ratio float64 `json:"p99_ratio,omitempty"`
	// Failed is the first error of the turns that gave no figures.
	Failed string `json:"failed,omitempty"`
	Turns  int    `json:"turns"` // that gave figures
}

// tailRates are in requests a second. The disturbances have the second one.
var tailRates = []float64{1_000, 10_000, 60_000}

const disturbedRate = 10_000

// tailAgents are what takes turns on a quiet host, mirrorgate first.
var tailAgents = []struct {
	name, command string
	targets       int
}{
	{"mirrorgate", DefaultCommand, 1},
	{"only acknowledges", AckCommand, 0},
	{"floor", FloorCommand, 1},
}

// Tail measures the quiet host and then the disturbed one. A turn that fails, since
// the agent did not bear the load or the disturbance, is in the report; an error is
// the end of ctx, or of this program's own parts.
func Tail(ctx context.Context, cfg TailConfig) (report TailReport, err error) {
	for _, rate := range tailRates {
		rows, err := quietRows(ctx, cfg, rate)
		if err != nil {
			return report, err
		}
		report.Quiet = append(report.Quiet, rows...)
	}
	report.Disturbed, err = disturbedRows(ctx, cfg)
	return report, err
}

// turn is what one turn gave.
type turn struct {
	report Report
	err    error
}

func quietRows(ctx context.Context, cfg TailConfig, rate float64) (rows []TailRow, err error) {
	turns := make([][]turn, len(tailAgents))
	for range cfg.Rounds {
		for i, a := range tailAgents {
			run := cfg.Run
			run.Command, run.Sink.Targets, run.Load.Rate = a.command, a.targets, rate
			r, err := Run(ctx, run)
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			turns[i] = append(turns[i], turn{r, err})
		}
	}
	for i, a := range tailAgents {
		row := newTailRow(a.name, rate, turns[i])
		if i > 0 {
			row.P50Ratio = medianRatio(turns[0], turns[i], func(l LatencyReport) float64 { return l.P50 })
			row.P99Ratio = medianRatio(turns[0], turns[i], func(l LatencyReport) float64 { return l.P99 })
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// disturbedMemory is the --memory of the disturbed agent.
const disturbedMemory = " --memory=64MiB"

func disturbedRows(ctx context.Context, cfg TailConfig) (rows []TailRow, err error) {
	turns := make([][]turn, len(disturbances))
	for range cfg.Disturbed {
		for i, d := range disturbances {
			run := cfg.Run
			run.Command, run.Load.Rate = DefaultCommand+disturbedMemory, disturbedRate
			r, err := d.run(ctx, run)
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			turns[i] = append(turns[i], turn{r, err})
		}
	}
	for i, d := range disturbances {
		rows = append(rows, newTailRow(d.name, disturbedRate, turns[i]))
	}
	return rows, nil
}

func newTailRow(what string, rate float64, turns []turn) TailRow {
	row := TailRow{What: what, Rate: rate}
	var p50, p99, p999 []float64
	for _, t := range turns {
		if t.err != nil {
			if row.Failed == "" {
				row.Failed = t.err.Error()
			}
			continue
		}
		l := t.report.AckLatency
		p50, p99, p999 = append(p50, l.P50), append(p99, l.P99), append(p999, l.P999)
		row.Longest, row.PeakRSS = max(row.Longest, l.Max), max(row.PeakRSS, t.report.PeakRSS)
		row.Turns++
	}
	if row.Turns > 0 {
		row.P50, row.P99, row.P999 = newSpread(p50).Median, newSpread(p99).Median, newSpread(p999).Median
	}
	return row
}

// medianRatio is over the turns that gave figures of both, 0 if there is none.
func medianRatio(as, bs []turn, of func(LatencyReport) float64) float64 {
	var ratios []float64
	for i := range as {
		if b := of(bs[i].report.AckLatency); as[i].err == nil && bs[i].err == nil && b > 0 {
			ratios = append(ratios, of(as[i].report.AckLatency)/b)
		}
	}
	if len(ratios) == 0 {
		return 0
	}
	return newSpread(ratios).Median
}

// quietTable has its head first.
func (t TailReport) quietTable() [][]string {
	rows := [][]string{{"requests/s", "agent", "p50 µs", "p99 µs", "p99.9 µs", "longest µs", "p50: mirrorgate ÷ it", "p99: mirrorgate ÷ it"}}
	for _, r := range t.Quiet {
		rows = append(rows, slices.Concat([]string{fmt.Sprintf("%.0f", r.Rate), r.what()}, r.latencies(), []string{ratioCell(r.P50Ratio), ratioCell(r.P99Ratio)}))
	}
	return rows
}

// disturbedTable has its head first. The limit of each p99 is three times the quiet
// one and 5 ms.
func (t TailReport) disturbedTable() [][]string {
	rows := [][]string{{"disturbance", "p50 µs", "p99 µs", "p99.9 µs", "longest µs", "p99 at most", "peak MiB"}}
	for _, r := range t.Disturbed {
		limit := ""
		if quiet := t.Disturbed[0]; quiet.Turns > 0 {
			limit = number(3*quiet.P99 + micros(5*time.Millisecond))
		}
		rows = append(rows, slices.Concat([]string{r.what()}, r.latencies(), []string{limit, number(float64(r.PeakRSS) / (1 << 20))}))
	}
	return rows
}

// what names the row, and why turns are missing.
func (r TailRow) what() string {
	if r.Failed == "" {
		return r.What
	}
	return fmt.Sprintf("%s (%d turns; others failed: %s)", r.What, r.Turns, r.Failed)
}

func (r TailRow) latencies() []string {
	if r.Turns == 0 {
		return []string{"", "", "", ""}
	}
	return []string{number(r.P50), number(r.P99), number(r.P999), number(r.Longest)}
}

func ratioCell(ratio float64) string {
	if ratio == 0 {
		return ""
	}
	return number(ratio)
}

// WriteJSON writes the report as one indented JSON object.
func (t TailReport) WriteJSON(w io.Writer) error { return writeJSON(w, t) }

// WriteText writes the report for people.
func (t TailReport) WriteText(w io.Writer) error {
	for _, table := range [][][]string{t.quietTable(), t.disturbedTable()} {
		tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		for _, row := range table {
			fmt.Fprintln(tw, strings.Join(row, "\t"))
		}
		if err := tw.Flush(); err != nil {
			return err
		}
		fmt.Fprintln(w)
	}
	return nil
}
