package fanout

import (
	"fmt"

	"github.com/VictoriaMetrics/metrics"
)

// comparison says how a target's response compares to that of production, which
// is known of requests that HAProxy mirrors after the response. Only the status
// codes are compared.
type comparison uint8

const (
	compareSame       comparison = iota // the same code
	compareDiffers                      // any difference but the next two
	comparePrimary5xx                   // only production's response is 5xx
	compareMirror5xx                    // only the target's response is 5xx
	comparisons
)

func (c comparison) String() string {
	return [...]string{"same", "differs", "primary_5xx", "mirror_5xx"}[c]
}

func compareCodes(primary, mirror int) comparison {
	switch {
	case primary == mirror:
		return compareSame
	case primary/100 == 5 && mirror/100 != 5:
		return comparePrimary5xx
	case primary/100 != 5 && mirror/100 == 5:
		return compareMirror5xx
	}
	return compareDiffers
}

// differenceBuckets start at production's resolution, a millisecond.
var differenceBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

type compareMetrics struct {
	results [comparisons]*metrics.Counter
	// A histogram with values on both sides of zero would have a sum that falls,
	// which Prometheus takes for a restart. So there is one for each side.
	slower, faster *metrics.PrometheusHistogram
}

func newCompareMetrics(set *metrics.Set, target string) (m compareMetrics) {
	for c := range comparisons {
		m.results[c] = set.NewCounter(fmt.Sprintf("mirrorgate_compare_total{target=%q,result=%q}", target, c))
	}
	histogram := func(mirror string) *metrics.PrometheusHistogram {
		return set.NewPrometheusHistogramExt(
			fmt.Sprintf("mirrorgate_compare_duration_difference_seconds{target=%q,mirror=%q}", target, mirror), differenceBuckets)
	}
	m.slower, m.faster = histogram("slower"), histogram("faster")
	return m
}

func (m *compareMetrics) count(compared *[comparisons]int) {
	for c, n := range compared {
		if n > 0 {
			m.results[c].Add(n)
		}
	}
}

// difference notes by how many nanoseconds the target took longer; no less is
// slower.
func (m *compareMetrics) difference(d int64) {
	if d < 0 {
		m.faster.Update(float64(-d) / 1e9)
		return
	}
	m.slower.Update(float64(d) / 1e9)
}
