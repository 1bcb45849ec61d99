package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// Comparison has the figures of two agents that took turns under the same load.
type Comparison struct {
	A       string       `json:"a"` // command lines
	B       string       `json:"b"`
	Load    LoadReport   `json:"load"`
	Rounds  int          `json:"rounds"`
	Figures []ComparedBy `json:"figures"`

	load Load
}

// ComparedBy is one figure of both agents.
type ComparedBy struct {
	Figure string `json:"figure"` // the JSON key in Report
	A      Spread `json:"a"`
	B      Spread `json:"b"`
	// Ratios are a / b in each round. Rounds with a b of 0 have none.
	Ratios []float64 `json:"ratios"`
	Ratio  *Spread   `json:"ratio,omitempty"`
}

// Spread is over the rounds.
type Spread struct {
	Min    float64 `json:"min"`
	Median float64 `json:"median"`
	Max    float64 `json:"max"`
}

// figures are what agents are compared by.
var figures = []struct {
	key string
	of  func(Report) float64
}{
	{"delivery_rate", func(r Report) float64 { return r.DeliveryRate }},
	{"ack_rate", func(r Report) float64 { return r.AckRate }},
	{"cpu_us_per_delivered", func(r Report) float64 { return r.CPUPerDelivery }},
	{"cpu_us_per_acked", func(r Report) float64 { return r.CPUPerAcked }},
	{"ack_latency_us.p50", func(r Report) float64 { return r.AckLatency.P50 }},
	{"ack_latency_us.p99", func(r Report) float64 { return r.AckLatency.P99 }},
	{"peak_rss_bytes", func(r Report) float64 { return float64(r.PeakRSS) }},
	{"dropped", func(r Report) float64 { return float64(r.Dropped) }},
}

// Compare runs the commands a and b in turns, A B A B …, each under the load of
// cfg, whose own command is not used. It ends at the first run that fails.
func Compare(ctx context.Context, cfg RunConfig, a, b string, rounds int) (Comparison, error) {
	if rounds < 1 {
		return Comparison{}, fmt.Errorf("a comparison needs 1 round or more, not %d", rounds)
	}
	if cfg.Agent != "" {
		return Comparison{}, fmt.Errorf("cannot compare a running agent: %s", cfg.Agent)
	}
	var as, bs []Report
	for round := range rounds {
		for _, side := range []struct {
			name, command string
			reports       *[]Report
		}{{"A", a, &as}, {"B", b, &bs}} {
			cfg.Command = side.command
			r, err := Run(ctx, cfg)
			if err != nil {
				return Comparison{}, fmt.Errorf("cannot measure %s in round %d: %w", side.name, round+1, err)
			}
			*side.reports = append(*side.reports, r)
		}
	}
	return newComparison(a, b, as, bs), nil
}

func newComparison(a, b string, as, bs []Report) Comparison {
	c := Comparison{A: a, B: b, Load: as[0].Load, Rounds: len(as), load: as[0].load}
	for _, f := range figures {
		row := ComparedBy{Figure: f.key, Ratios: []float64{}}
		var inA, inB []float64
		for i := range as {
			x, y := f.of(as[i]), f.of(bs[i])
			inA, inB = append(inA, x), append(inB, y)
			if y != 0 {
				row.Ratios = append(row.Ratios, x/y)
			}
		}
		row.A, row.B = newSpread(inA), newSpread(inB)
		if len(row.Ratios) > 0 {
			s := newSpread(row.Ratios)
			row.Ratio = &s
		}
		c.Figures = append(c.Figures, row)
	}
	return c
}

// newSpread needs one value at the least.
func newSpread(values []float64) Spread {
	v := slices.Sorted(slices.Values(values))
	n := len(v)
	return Spread{Min: v[0], Median: (v[(n-1)/2] + v[n/2]) / 2, Max: v[n-1]}
}

// WriteJSON writes the comparison as one indented JSON object.
func (c Comparison) WriteJSON(w io.Writer) error { return writeJSON(w, c) }

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// WriteText writes the comparison for people.
func (c Comparison) WriteText(w io.Writer) error {
	fmt.Fprintf(w, "A     %s\nB     %s\nload  %s, sink %s × %d, %d rounds\n\n",
		c.A, c.B, c.load, c.Load.Sink, c.Load.Targets, c.Rounds)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range c.rows() {
		fmt.Fprintln(t, strings.Join(row, "\t"))
	}
	return t.Flush()
}

// rows is the table, its head first.
func (c Comparison) rows() [][]string {
	rows := [][]string{{"min / median / max", "A", "B", "A÷B", "A÷B in each round"}}
	for _, f := range c.Figures {
		ratio, rounds := "", make([]string, len(f.Ratios))
		if f.Ratio != nil {
			ratio = f.Ratio.String()
		}
		for i, r := range f.Ratios {
			rounds[i] = number(r)
		}
		rows = append(rows, []string{f.Figure, f.A.String(), f.B.String(), ratio, strings.Join(rounds, " ")})
	}
	return rows
}

// String is "min / median / max".
func (s Spread) String() string {
	return number(s.Min) + " / " + number(s.Median) + " / " + number(s.Max)
}

// number has three digits or all before the point.
func number(v float64) string {
	switch {
	case v >= 100 || v == 0:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}
