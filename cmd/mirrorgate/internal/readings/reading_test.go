package readings

import (
	"maps"
	"math"
	"strings"
	"testing"
	"time"
)

func parseLines(at time.Time, lines ...string) Reading {
	return Parse(at, strings.NewReader(strings.Join(lines, "\n")))
}

func TestReading(t *testing.T) {
	r := parseLines(time.Time{},
		"# HELP received What came.", "# TYPE received counter",
		"received 12",
		`rejected{reason="loop"} 3`, `rejected{reason="malformed"} 4`,
		`sent{target="a"} 5`, `sent{target="b.c-d_e"} 1e3`,
		`dropped{target="a",reason="rate"} 6`, `dropped{target="a",reason="stale"} 7`, `dropped{target="aa",reason="stale"} 100`,
		`dropped{target="a",reason="dial"} 0`,
		`ratio{group="a"} 0.25`,
		"", "broken", "broken x",
	)
	f := func(family string, want float64, labels ...Label) {
		t.Helper()
		if got := r.Sum(family, labels...); got != want {
			t.Errorf("%s of %q is %v, want %v", family, labels, got, want)
		}
	}
	f("received", 12)
	f("rejected", 7)
	f("sent", 5, Target("a"))
	f("sent", 1000, Target("b.c-d_e"))
	f("sent", 0, Target("b"))
	f("sent", 1005)
	f("dropped", 13, Target("a"))
	f("dropped", 107, Of("reason", "stale"))
	f("dropped", 7, Of("reason", "stale"), Target("a"))
	f("ratio", 0.25, Group("a"))
	f("received", 0, Target("a"))
	f("nothing", 0, Target("a"))
	f("broken", 0)
	if got, want := r.Counts("reason", "dropped", Target("a")), (map[string]int64{"rate": 6, "stale": 7, "dial": 0}); !maps.Equal(got, want) {
		t.Errorf("dropped by reason: %v, want %v", got, want)
	}
	if got, want := r.By("reason", "dropped"), (map[string]int64{"rate": 6, "stale": 107}); !maps.Equal(got, want) {
		t.Errorf("dropped by reason: %v, want %v", got, want)
	}
}

func TestGrowth(t *testing.T) {
	start := time.Unix(1000, 0)
	before := parseLines(start, "received 10", `dropped{target="a",reason="rate"} 4`, `dropped{target="a",reason="stale"} 4`)
	g := parseLines(start.Add(2*time.Second), "received 30",
		`dropped{target="a",reason="rate"} 5`, `dropped{target="a",reason="stale"} 4`, `dropped{target="b",reason="stale"} 8`).Since(before)
	f := func(family string, want float64, labels ...Label) {
		t.Helper()
		if got := g.Rate(family, labels...); got != want {
			t.Errorf("%s of %q grows by %v/s, want %v", family, labels, got, want)
		}
	}
	f("received", 10)
	f("dropped", 0.5, Target("a"))
	f("dropped", 4, Target("b")) // did not exist before
	f("nothing", 0)
	if got, want := g.Rates("reason", "dropped", Target("a")), (map[string]float64{"rate": 0.5, "stale": 0}); !maps.Equal(got, want) {
		t.Errorf("by reason: %v, want %v", got, want)
	}
	if got := g.Count("received"); got != 20 {
		t.Errorf("%d were received meanwhile, want 20", got)
	}
	// A counter that fell is that of another target of the same name.
	if got := parseLines(start.Add(time.Second), "received 5").Since(before).Rate("received"); got != 0 {
		t.Errorf("a counter that fell grows by %v/s", got)
	}
	if got := before.Since(before).Rate("received"); got != 0 {
		t.Errorf("in no time it grows by %v/s", got)
	}
}

func TestQuantile(t *testing.T) {
	bucket := func(counts ...string) []string {
		lines := []string{`d_bucket{target="b",le="0.001"} 7`, `d_bucket{target="b",le="+Inf"} 7`}
		for i, bound := range []string{"0.001", "0.01", "0.1", "+Inf"}[:len(counts)] {
			lines = append(lines, `d_bucket{target="a",le="`+bound+`"} `+counts[i])
		}
		return lines
	}
	f := func(before, after []string, q, want float64) {
		t.Helper()
		g := parseLines(time.Time{}, after...).Since(parseLines(time.Time{}, before...))
		got := g.Quantile(q, "d", Target("a"))
		if math.Abs(got-want) > 1e-9 || math.IsNaN(got) != math.IsNaN(want) {
			t.Errorf("from %v to %v the %v-quantile is %v, want %v", before, after, q, got, want)
		}
	}
	none := []string(nil)
	f(none, none, 0.5, math.NaN())
	f(none, bucket("0", "0", "0", "0"), 0.5, math.NaN())
	f(none, bucket("0", "0", "0", "0"), 0.99, math.NaN())
	f(bucket("5", "5", "5", "5"), bucket("5", "5", "5", "5"), 0.5, math.NaN())
	f(none, bucket("10", "10", "10", "10"), 0.5, 0.0005)
	f(none, bucket("10", "10", "10", "10"), 1, 0.001)
	f(none, bucket("100", "100", "100", "100"), 0.99, 0.00099)
	f(none, bucket("0", "10", "10", "10"), 0.5, 0.0055)
	f(none, bucket("50", "100", "100", "100"), 0.5, 0.001)
	f(none, bucket("50", "100", "100", "100"), 1, 0.01)
	f(none, bucket("0", "0", "100", "100"), 0.99, 0.0991)
	f(none, bucket("98", "100", "100", "100"), 0.99, 0.0055)
	f(none, bucket("50", "50", "100", "100"), 0.99, 0.1-0.09/50)
	f(bucket("1000", "1000", "1000", "1000"), bucket("1000", "1010", "1010", "1010"), 0.5, 0.0055) // what was before is past
	f(none, bucket("0", "0", "0", "10"), 0.5, 0.1)                                                 // beyond the last bound
	f(none, bucket("0", "50", "50", "100"), 0.99, 0.1)
	f(none, bucket("98", "98", "98", "100"), 0.99, 0.1)
}
