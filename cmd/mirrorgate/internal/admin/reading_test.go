package admin

import (
	"maps"
	"math"
	"testing"
	"time"
)

func readLines(at time.Time, lines ...string) reading {
	r := reading{at: at, values: map[string][]labelled{}}
	for _, line := range lines {
		r.add(line)
	}
	return r
}

func TestReading(t *testing.T) {
	r := readLines(time.Time{},
		"# HELP received What came.", "# TYPE received counter",
		"received 12",
		`rejected{reason="loop"} 3`, `rejected{reason="malformed"} 4`,
		`sent{target="a"} 5`, `sent{target="b.c-d_e"} 1e3`,
		`dropped{target="a",reason="rate"} 6`, `dropped{target="a",reason="stale"} 7`, `dropped{target="aa",reason="stale"} 100`,
		`ratio{group="a"} 0.25`,
		"", "broken", "broken x",
	)
	f := func(family, whose string, want float64) {
		t.Helper()
		if got := r.sum(family, whose); got != want {
			t.Errorf("%s of %q is %v, want %v", family, whose, got, want)
		}
	}
	f("received", "", 12)
	f("rejected", "", 7)
	f("sent", "a", 5)
	f("sent", "b.c-d_e", 1000)
	f("dropped", "a", 13)
	f("ratio", "a", 0.25)
	f("sent", "", 0)
	f("nothing", "a", 0)
	f("broken", "", 0)
	if got, want := r.counts("dropped", "a"), (map[string]int64{"rate": 6, "stale": 7}); !maps.Equal(got, want) {
		t.Errorf("dropped by reason: %v, want %v", got, want)
	}
}

func TestRates(t *testing.T) {
	start := time.Unix(1000, 0)
	before := readLines(start, "received 10", `dropped{target="a",reason="rate"} 4`, `dropped{target="a",reason="stale"} 4`)
	s := span{before, readLines(start.Add(2*time.Second), "received 30",
		`dropped{target="a",reason="rate"} 5`, `dropped{target="a",reason="stale"} 4`, `dropped{target="b",reason="stale"} 8`)}
	f := func(family, whose string, want float64) {
		t.Helper()
		if got := s.rate(family, whose); got != want {
			t.Errorf("%s of %q grows by %v/s, want %v", family, whose, got, want)
		}
	}
	f("received", "", 10)
	f("dropped", "a", 0.5)
	f("dropped", "b", 4) // did not exist before
	f("nothing", "", 0)
	if got, want := s.rates("dropped", "a"), (map[string]float64{"rate": 0.5, "stale": 0}); !maps.Equal(got, want) {
		t.Errorf("by reason: %v, want %v", got, want)
	}
	// A counter that fell is that of another target of the same name.
	if got := (span{readLines(start, "received 10"), readLines(start.Add(time.Second), "received 5")}).rate("received", ""); got != 0 {
		t.Errorf("a counter that fell grows by %v/s", got)
	}
	if got := (span{before, before}).rate("received", ""); got != 0 {
		t.Errorf("in no time it grows by %v/s", got)
	}
}

func TestQuantile(t *testing.T) {
	bucket := func(counts ...string) []string {
		lines := make([]string, len(counts))
		for i, bound := range []string{"0.001", "0.01", "0.1", "+Inf"} {
			lines[i] = `d_bucket{target="a",le="` + bound + `"} ` + counts[i]
		}
		return lines
	}
	f := func(before, after []string, q, want float64) {
		t.Helper()
		s := span{readLines(time.Time{}, before...), readLines(time.Time{}, after...)}
		got := s.quantile(q, "d", "a")
		if math.Abs(got-want) > 1e-9 || math.IsNaN(got) != math.IsNaN(want) {
			t.Errorf("from %v to %v the %v-quantile is %v, want %v", before, after, q, got, want)
		}
	}
	none := []string(nil)
	f(none, none, 0.5, math.NaN())
	f(none, bucket("0", "0", "0", "0"), 0.5, math.NaN())
	f(bucket("5", "5", "5", "5"), bucket("5", "5", "5", "5"), 0.5, math.NaN())
	f(none, bucket("10", "10", "10", "10"), 0.5, 0.0005)
	f(none, bucket("10", "10", "10", "10"), 1, 0.001)
	f(none, bucket("0", "10", "10", "10"), 0.5, 0.0055)
	f(none, bucket("50", "50", "100", "100"), 0.99, 0.1-0.09/50)
	f(bucket("1000", "1000", "1000", "1000"), bucket("1000", "1010", "1010", "1010"), 0.5, 0.0055) // what was before is past
	f(none, bucket("0", "0", "0", "10"), 0.5, 0.1)                                                 // beyond the last bound
	f(none, bucket("98", "98", "98", "100"), 0.99, 0.1)
}
