package fanout

import (
	"fmt"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// statusResult says how a target's response compares to that of production, of which
// only the status is known, of requests that HAProxy mirrors after the response.
type statusResult uint8

const (
	sameStatus    statusResult = iota
	otherStatus                // any difference
	noStatus                   // the target was sent the request and gave no response
	statusResults              // how many there are
)

func (r statusResult) String() string {
	return [...]string{"same_status", "status", "error"}[r]
}

// differenceBuckets start at production's resolution, a millisecond.
var differenceBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// productionMetrics count how a target compares to production: every request that
// was selected for it and whose status is known is in results or in unpaired.
type productionMetrics struct {
	results  [statusResults]*metrics.Counter
	statuses [codeClasses][codeClasses]*metrics.Counter // by production's class and the target's
	unpaired [dropReasons]*metrics.Counter
	// A histogram with values on both sides of zero would have a sum that falls,
	// which Prometheus takes for a restart. So there is one for each side.
	slower, faster *metrics.PrometheusHistogram
}

func newProductionMetrics(set *metrics.Set, target string) *productionMetrics {
	m := new(productionMetrics)
	for r := range statusResults {
		m.results[r] = set.NewCounter(fmt.Sprintf("mirrorgate_compare_total{target=%q,against=%q,result=%q}", target, AgainstProduction, r))
	}
	for i := range codeClasses {
		for j := range codeClasses {
			m.statuses[i][j] = set.NewCounter(fmt.Sprintf("mirrorgate_compare_status_total{target=%q,primary=%q,mirror=%q}", target, className(i), className(j)))
		}
	}
	for reason := dropNone + 1; reason < dropReasons; reason++ {
		m.unpaired[reason] = set.GetOrCreateCounter(unpairedName(target, "target", reason.String()))
	}
	histogram := func(mirror string) *metrics.PrometheusHistogram {
		return set.NewPrometheusHistogramExt(
			fmt.Sprintf("mirrorgate_compare_duration_difference_seconds{target=%q,mirror=%q}", target, mirror), differenceBuckets)
	}
	m.slower, m.faster = histogram("slower"), histogram("faster")
	return m
}

// unpairedName is the name of the counter of requests that one side left without a
// pair for that reason.
func unpairedName(target, side, reason string) string {
	return fmt.Sprintf("mirrorgate_compare_unpaired_total{target=%q,side=%q,reason=%q}", target, side, reason)
}

// difference notes by how many nanoseconds the target took longer; no less is
// slower.
func (m *productionMetrics) difference(d int64) {
	if d < 0 {
		m.faster.Update(float64(-d) / 1e9)
		return
	}
	m.slower.Update(float64(d) / 1e9)
}

// besideProduction collects how the requests that ended compare to production.
type besideProduction struct {
	results  [statusResults]int
	unpaired [dropReasons]int
	aborted  int // gave no response since the target ends
}

// response compares a response, and keeps it if it differs. The caller still holds
// p.
func (r *besideProduction) response(t *target, p *payload, code int, took int64) {
	m := t.production
	if p.status == 0 || m == nil {
		return
	}
	m.statuses[codeClass(int(p.status))][codeClass(code)].Inc()
	if p.took >= 0 {
		m.difference(took - int64(p.took)*int64(time.Millisecond))
	}
	if int(p.status) == code {
		r.results[sameStatus]++
		return
	}
	r.results[otherStatus]++
	t.differed(p, code, took)
}

func (r *besideProduction) failed(p *payload, kind errorKind) {
	switch {
	case p.status == 0:
	case kind == errorAborted:
		r.aborted++
	default:
		r.results[noStatus]++
	}
}

func (r *besideProduction) dropped(p *payload, reason dropReason) {
	if p.status != 0 {
		r.unpaired[reason]++
	}
}

// countProduction counts what was collected, unless the target is compared with
// another one.
func (t *target) countProduction(r *besideProduction) {
	m := t.production
	if m == nil {
		return
	}
	if r.aborted > 0 {
		m.unpaired[t.drainReason].Add(r.aborted)
	}
	for i, n := range r.results {
		if n > 0 {
			m.results[i].Add(n)
		}
	}
	for i, n := range r.unpaired {
		if n > 0 {
			m.unpaired[i].Add(n)
		}
	}
}
