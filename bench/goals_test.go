package bench

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestInTurns(t *testing.T) {
	run := testRun()
	reports, err := inTurns(t.Context(), 2, run, run)
	if err != nil || len(reports) != 2 || len(reports[0]) != 2 || len(reports[1]) != 2 {
		t.Fatalf("got %v, %v", reports, err)
	}
	if acked := medianOf(reports[0], func(r Report) float64 { return float64(r.Acked) }); acked <= 0 {
		t.Errorf("got %g", acked)
	}
	fast := run
	fast.Load.Rate = 1e8
	if _, err := inTurns(t.Context(), 2, run, fast); !errors.Is(err, errRate) {
		t.Errorf("a rate that no machine reaches: %v", err)
	}
	run.Command = "false {listen}"
	if _, err := inTurns(t.Context(), 1, run); err == nil {
		t.Error("an agent that does not start was measured")
	}
}

// Ratios are round by round, and one that there is not meets no goal.
func TestRatioOf(t *testing.T) {
	f := func(as, bs []float64, want float64) {
		t.Helper()
		reports := func(values []float64) (all []Report) {
			for _, v := range values {
				all = append(all, Report{CPUPerAcked: v})
			}
			return all
		}
		got := ratioOf(reports(as), reports(bs), cpuPerAcked)
		if got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Errorf("%v ÷ %v: got %g", as, bs, got)
		}
	}
	f([]float64{1, 4, 9}, []float64{2, 2, 3}, 2)
	f([]float64{1, 4, 9}, []float64{2, 0, 3}, 1.75)
	f([]float64{1}, []float64{0}, math.NaN())
}

func TestGoals(t *testing.T) {
	f := func(g goal, want string) {
		t.Helper()
		g.what, g.seen = "a", "1; 2"
		rows := goalRows([]goal{g})
		if len(rows[0]) != len(rows[1]) || strings.Join(rows[1][2:], " ") != want {
			t.Errorf("got %q, want %q", rows[1], want)
		}
	}
	f(goal{value: 1.1, bound: 1.1}, "1.10 ≤ 1.10 yes")
	f(goal{value: 1.11, bound: 1.1}, "1.11 ≤ 1.10 **no**")
	f(goal{value: 0.75, bound: 0.75, atLeast: true}, "0.75 ≥ 0.75 yes")
	f(goal{value: 0.74, bound: 0.75, atLeast: true}, "0.74 ≥ 0.75 **no**")
	f(goal{value: math.NaN()}, "NaN  **no**")
}

// The goal stands beside its own figure, and is about the first floor.
func TestFloorRows(t *testing.T) {
	report := func(cpu, rate float64) []Report { return []Report{{CPUPerDelivery: cpu, DeliveryRate: rate}} }
	s := setting{name: "load", figure: "deliveries/s", goal: goal{bound: 0.75, atLeast: true}}
	rows := s.rows([][]Report{report(3, 60), report(2, 100), report(1, 120)})
	f := func(row int, want string) {
		t.Helper()
		if got := strings.Join(rows[row], "|"); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	f(0, "load|CPU µs/delivery|3.00|2.00|1.00|1.50|3.00||")
	f(1, "load|deliveries/s|60.0|100|120|0.60|0.50|≥ 0.75|**no**")
	for _, s := range settings {
		if !slices.ContainsFunc(floorFigures, func(f struct {
			name string
			of   func(Report) float64
		}) bool {
			return f.name == s.figure
		}) {
			t.Errorf("%s: there is no figure %q", s.name, s.figure)
		}
	}
}

// No rate is above the line, and the two highest are on it.
func TestSizingLine(t *testing.T) {
	costs := []costAt{{100, 500}, {2_000, 60}, {10_000, 20}, {40_000, 14}}
	a, b := line(costs)
	if b != 12 || a != 96_000 {
		t.Errorf("got %g + %g × requests/s", a, b)
	}
	for _, c := range costs {
		if a+b*c.rate < c.cpu*c.rate {
			t.Errorf("%g/s is above the line", c.rate)
		}
	}
	if rows := sizingRows(costs); strings.Join(rows[1], " ") != "100 500 5.0 %" {
		t.Errorf("got %q", rows[1])
	}
}

func TestAckOnlyNeedsItsFlag(t *testing.T) {
	if got := ackOnly(DefaultRun()).Command; !strings.Contains(got, " --admin= --sample=0 ") {
		t.Errorf("got %q", got)
	}
}

// Objects and requests are counted between the two moments, not from the start.
func TestAllocatedBetween(t *testing.T) {
	n := 0
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n++
		fmt.Fprintf(w, "go_memstats_mallocs_total %d\nmirrorgate_requests_received_total %d\n", 500+3*n*n, 100*(n-1))
	}))
	defer page.Close()
	load := Load{Warmup: time.Millisecond, Duration: 2 * time.Millisecond}
	got, err := allocatedBetween(t.Context(), strings.TrimPrefix(page.URL, "http://"), load)
	// The second page has the first request, so the third and the fourth count.
	if want := float64(3*16-3*9) / 100; err != nil || got != want {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer silent.Close()
	if _, err := readAllocated(t.Context(), strings.TrimPrefix(silent.URL, "http://")); err == nil {
		t.Error("an agent that tells nothing was read")
	}
}

// The recommended batch is set against the best, even if they are the same.
func TestCompareBatches(t *testing.T) {
	f := func(costs []float64, seen string, value float64) {
		t.Helper()
		if got := compareBatches([]int{1, 64, 128}, 64, costs); got.seen != seen || got.value != value {
			t.Errorf("%v: got %+v", costs, got)
		}
	}
	f([]float64{10, 2, 1.6}, "1: 10.0, 64: 2.00, 128: 1.60", 1.25)
	f([]float64{10, 2, 2.5}, "1: 10.0, 64: 2.00, 128: 2.50", 1)
}
