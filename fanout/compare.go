package fanout

import (
	"fmt"
	"math"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/mirrorgate/mirrorgate/codec"
)

// comparison says how a target's answer compares to that of production, which
// is known of requests that HAProxy mirrors after the response. Only the status
// codes are compared.
type comparison uint8

const (
	compareSame       comparison = iota // the same code
	compareDiffers                      // any difference but the next two
	comparePrimary5xx                   // only production's answer is 5xx
	compareMirror5xx                    // only the target's answer is 5xx
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

// maxID is how many bytes of a request's id are kept.
const maxID = math.MaxUint8

// keepProduction keeps what an answer will be compared with. The payload has room
// for the id.
func (p *payload) keepProduction(production *codec.ProductionResponse) {
	p.took = -1
	if production.Timed {
		p.took = int32(min(production.Milliseconds, math.MaxInt32))
	}
	id := production.ID[:min(len(production.ID), maxID)]
	p.idLen = uint8(len(id))
	p.buf = append(p.buf, id...)[:len(p.buf)]
}

// id returns the request's id, which is borrowed from p.
func (p *payload) id() []byte { return p.buf[len(p.buf) : len(p.buf)+int(p.idLen)] }

// compare counts how a response compares, and keeps it if it differs. The caller
// still holds p.
func (r *results) compare(t *target, p *payload, code int, took int64) {
	c := compareCodes(int(p.status), code)
	r.compared[c]++
	if p.took >= 0 {
		t.metrics.compared.difference(took - int64(p.took)*int64(time.Millisecond))
	}
	if c != compareSame {
		t.differed(p, c, code, took)
	}
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
