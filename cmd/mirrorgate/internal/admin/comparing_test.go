package admin

import (
	"fmt"
	"testing"

	"github.com/mirrorgate/mirrorgate/fanout/compare/tally"
)

// Charts show what differs beyond noise since the beginning of the window.
func TestComparedPoints(t *testing.T) {
	totals := func(explained, differs, noise int64) tally.Totals {
		return tally.Totals{Explained: explained, Excess: tally.Counts{Differs: differs, Noise: noise}}
	}
	f := func(before, now tally.Totals, differs, noise string) {
		t.Helper()
		points := map[string]float64{}
		comparedTotals{"v2": now}.addPoints(points, comparedTotals{"v2": before})
		if got, want := fmt.Sprint(points["target/v2/differs"], points["target/v2/noise"]), differs+" "+noise; got != want {
			t.Errorf("from %+v to %+v: %s, want %s", before, now, got, want)
		}
	}
	f(totals(100, 10, 5), totals(200, 20, 5), "0.1", "0")
	f(totals(100, 10, 5), totals(100, 10, 5), "NaN", "NaN")
	f(totals(100, 10, 5), totals(50, 1, 2), "0.02", "0.04") // it was begun anew
	f(tally.Totals{}, totals(4, 1, 4), "0.25", "1")
}
