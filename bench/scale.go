package bench

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
)

// Sweep is a row of runs that differ in one size.
type Sweep struct {
	Name   string       `json:"name"`
	Points []SweepPoint `json:"points"`
}

// SweepPoint is one of its runs.
type SweepPoint struct {
	Size   int    `json:"size"`
	Report Report `json:"report"`
}

// sweeps are the sizes that the cost is measured against.
var sweeps = []struct {
	name  string
	sizes []int
	set   func(cfg *RunConfig, size int)
}{
	{"targets", []int{1, 2, 4, 8}, func(cfg *RunConfig, n int) { cfg.Sink.Targets = n }},
	{"SPOP connections", []int{1, 10, 100, 1000}, func(cfg *RunConfig, n int) { cfg.Load.Connections = n }},
	{"bytes of body", []int{0, 1000, 4000, 14000}, func(cfg *RunConfig, n int) { cfg.Load.Body = n }},
	{"batch", []int{1, 2, 4, 8, 16, 32, 64}, func(cfg *RunConfig, n int) { cfg.Batch = n }},
}

// Scale measures the agent of cfg at each size of each sweep, all else being as
// in cfg. It ends at the first run that fails.
func Scale(ctx context.Context, cfg RunConfig) ([]Sweep, error) {
	var all []Sweep
	for _, s := range sweeps {
		sweep := Sweep{Name: s.name}
		for _, size := range s.sizes {
			at := cfg
			s.set(&at, size)
			r, err := Run(ctx, at)
			if err != nil {
				return nil, fmt.Errorf("cannot measure %d %s: %w", size, s.name, err)
			}
			sweep.Points = append(sweep.Points, SweepPoint{Size: size, Report: r})
		}
		all = append(all, sweep)
	}
	return all, nil
}

// WriteSweepsJSON writes the sweeps as one indented JSON array.
func WriteSweepsJSON(w io.Writer, all []Sweep) error { return writeJSON(w, all) }

// WriteSweepsText writes the sweeps as tables for people.
func WriteSweepsText(w io.Writer, all []Sweep) error {
	for _, s := range all {
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
		for _, row := range s.rows() {
			fmt.Fprintln(t, strings.Join(row, "\t")+"\t")
		}
		if err := t.Flush(); err != nil {
			return err
		}
		fmt.Fprintln(w)
	}
	return nil
}

// rows is the table, its head first.
func (s Sweep) rows() [][]string {
	rows := [][]string{{s.Name, "deliveries/s", "dropped", "CPU µs/request", "CPU µs/delivery", "ACK p50 µs", "ACK p99 µs", "peak MiB"}}
	for _, p := range s.Points {
		r := p.Report
		rows = append(rows, []string{
			strconv.Itoa(p.Size), number(r.DeliveryRate), strconv.FormatUint(r.Dropped, 10),
			number(r.CPUPerAcked), number(r.CPUPerDelivery),
			number(r.AckLatency.P50), number(r.AckLatency.P99), number(float64(r.PeakRSS) / (1 << 20)),
		})
	}
	return rows
}
