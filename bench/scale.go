package bench

import (
	"context"
	"errors"
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
	Size   int     `json:"size"`
	Report Report  `json:"report"`
	Floor  *Report `json:"floor,omitempty"` // that of the floor under the same load
}

// sweep is what the cost is measured against.
type sweep struct {
	name  string
	sizes []int
	set   func(cfg *RunConfig, size int)
	floor string                      // command line of the floor to set beside it, or ""
	over  func(command string) string // how the agent is to reach its targets; nil: as it is
}

var sweeps = []sweep{
	{"targets", []int{1, 2, 4, 8}, func(cfg *RunConfig, n int) { cfg.Sink.Targets = n }, "", nil},
	{"SPOP connections", []int{1, 10, 100, 1000}, func(cfg *RunConfig, n int) { cfg.Load.Connections = n }, "", nil},
	{"bytes of body", []int{0, 1000, 4000, 14000}, func(cfg *RunConfig, n int) { cfg.Load.Body = n }, "", nil},
	{"batch", []int{1, 2, 4, 8, 16, 32, 64}, func(cfg *RunConfig, n int) { cfg.Batch = n }, "", nil},
	{"header fields", []int{8, 30, 100}, func(cfg *RunConfig, n int) { cfg.Load.Headers = n }, FloorCommand, nil},
	{"batch, https", []int{1, 64}, func(cfg *RunConfig, n int) { cfg.Batch, cfg.Sink.TLS = n, true }, TLSFloorCommand, overTLS},
	{"streams, h2c", []int{1, 64}, func(cfg *RunConfig, n int) { cfg.Batch = n }, "", overHTTP2},
}

// Scale measures the agent of cfg at each size of each sweep, all else being as
// in cfg. A sweep ends before the size at which the rate is not reached, all of it at
// any other run that fails. An agent whose command does not have
// mirrorgate's options is not measured with https and HTTP/2.
func Scale(ctx context.Context, cfg RunConfig) ([]Sweep, error) {
	var all []Sweep
	for _, s := range sweeps {
		out := Sweep{Name: s.name}
		for _, size := range s.sizes {
			at := cfg
			s.set(&at, size)
			if s.over != nil {
				if at.Command = s.over(cfg.Command); at.Command == cfg.Command {
					break
				}
			}
			p, err := s.measure(ctx, at, size)
			if errors.Is(err, errRate) && len(out.Points) > 0 {
				break // the larger ones would not reach it either
			}
			if err != nil {
				return nil, fmt.Errorf("cannot measure %d %s: %w", size, s.name, err)
			}
			out.Points = append(out.Points, p)
		}
		if len(out.Points) > 0 {
			all = append(all, out)
		}
	}
	return all, nil
}

// measure runs the agent and, where there is one, the floor.
func (s sweep) measure(ctx context.Context, cfg RunConfig, size int) (p SweepPoint, err error) {
	p.Size = size
	if p.Report, err = Run(ctx, cfg); err != nil || s.floor == "" {
		return p, err
	}
	cfg.Command = s.floor
	floor, err := Run(ctx, cfg)
	p.Floor = &floor
	return p, err
}

// overTLS has mirrorgate reach its targets by https; other commands stay.
func overTLS(command string) string {
	return strings.Replace(command, plainTargets, "--tls-insecure "+strings.Replace(plainTargets, "http:", "https:", 1), 1)
}

// overHTTP2 is overTLS for HTTP/2 without TLS.
func overHTTP2(command string) string {
	return strings.Replace(command, plainTargets, strings.Replace(plainTargets, "http:", "h2c:", 1), 1)
}

// plainTargets is what a command of mirrorgate says of its targets.
const plainTargets = "--target=http://{targets}"

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
	if s.Points[0].Floor != nil {
		rows[0] = append(rows[0], "floor: CPU µs/delivery", "÷ floor")
	}
	for _, p := range s.Points {
		r := p.Report
		row := []string{
			strconv.Itoa(p.Size), number(r.DeliveryRate), strconv.FormatUint(r.Dropped, 10),
			number(r.CPUPerAcked), number(r.CPUPerDelivery),
			number(r.AckLatency.P50), number(r.AckLatency.P99), number(float64(r.PeakRSS) / (1 << 20)),
		}
		if p.Floor != nil {
			row = append(row, number(p.Floor.CPUPerDelivery), quotient(r.CPUPerDelivery, p.Floor.CPUPerDelivery))
		}
		rows = append(rows, row)
	}
	return rows
}

// quotient is empty if there is none.
func quotient(a, b float64) string {
	if b == 0 {
		return ""
	}
	return number(a / b)
}
