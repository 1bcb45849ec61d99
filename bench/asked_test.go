package bench

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestTakeTurns(t *testing.T) {
	run := testRun()
	a, b, ratios, err := takeTurns(t.Context(), run, run, func(r Report) float64 { return float64(r.Acked) })
	if err != nil || a.Min <= 0 || b.Min <= 0 || ratios.Min <= 0 || ratios.Min > ratios.Max {
		t.Errorf("got %v, %v, %v, %v", a, b, ratios, err)
	}
	if _, _, _, err := takeTurns(t.Context(), run, run, func(Report) float64 { return 0 }); err == nil {
		t.Error("a ratio to 0")
	}
	run.Command = "false {listen}"
	if _, _, _, err := takeTurns(t.Context(), run, run, cpuPerAcked); err == nil {
		t.Error("an agent that does not start was measured")
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

func TestFindingRows(t *testing.T) {
	rows := findingRows([]finding{{"a", "1", "≤ 2"}})
	if len(rows) != 2 || len(rows[0]) != 3 || strings.Join(rows[1], " ") != "a 1 ≤ 2" {
		t.Errorf("got %q", rows)
	}
}

// The cheapest batch is the one with the lowest median, and the standard is put
// beside it, even if they are the same.
func TestCompareBatches(t *testing.T) {
	f := func(costs [][]float64, want string) {
		t.Helper()
		if got := compareBatches([]int{1, 64, 128}, 64, costs); got != want {
			t.Errorf("%v: got %q, want %q", costs, got, want)
		}
	}
	f([][]float64{{9, 10, 11}, {2, 2, 2}, {1.6, 1.6, 9}}, "1: 10.0, 64: 2.00, 128: 1.60; 64 ÷ 128: 1.25")
	f([][]float64{{9, 10, 11}, {2, 2, 2}, {2.5, 2.5, 1}}, "1: 10.0, 64: 2.00, 128: 2.50; 64 ÷ 64: 1.00")
}
