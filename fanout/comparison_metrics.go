package fanout

import (
	"fmt"

	"github.com/VictoriaMetrics/metrics"

	"github.com/mirrorgate/mirrorgate/fanout/compare"
	"github.com/mirrorgate/mirrorgate/fanout/compare/route"
	"github.com/mirrorgate/mirrorgate/fanout/compare/tally"
)

// comparisonMetrics are the counters of a target that is compared with another one.
// They outlive a comparison.
type comparisonMetrics struct {
	set      *metrics.Set
	names    comparedNames
	compared [compare.Results]*metrics.Counter
	noise    [compare.Results]*metrics.Counter // nil without a second copy
	unpaired [len(tallySides)][unpairedReasons]*metrics.Counter
	routes   map[string]*[compare.Results]*metrics.Counter // of the goroutine of comparing alone
}

func newComparisonMetrics(set *metrics.Set, names comparedNames) *comparisonMetrics {
	m := &comparisonMetrics{set: set, names: names, routes: map[string]*[compare.Results]*metrics.Counter{}}
	for r := range compare.Results {
		m.compared[r] = set.GetOrCreateCounter(fmt.Sprintf("mirrorgate_compare_total{target=%q,against=%q,result=%q}", names.target, names.against, r))
		if names.noise == "" {
			continue
		}
		m.noise[r] = set.GetOrCreateCounter(fmt.Sprintf("mirrorgate_compare_noise_total{target=%q,noise=%q,result=%q}", names.target, names.noise, r))
	}
	for i, whose := range tallySides {
		for reason := unpairedReason(1); reason < unpairedReasons; reason++ {
			m.unpaired[i][reason] = set.GetOrCreateCounter(unpairedName(names.target, string(whose), reason.String()))
		}
	}
	m.slot(route.Other)
	return m
}

// route counts a pair of a route: up to tally.MaxRoutes are told apart for ever, the
// others are one.
func (m *comparisonMetrics) route(name string, result compare.Result) {
	r := m.routes[name]
	switch {
	case r != nil:
	case len(m.routes) > tally.MaxRoutes: // with other
		r = m.routes[route.Other]
	default:
		r = m.slot(name)
	}
	r[result].Inc()
}

func (m *comparisonMetrics) slot(name string) *[compare.Results]*metrics.Counter {
	r := new([compare.Results]*metrics.Counter)
	for i := range compare.Results {
		r[i] = m.set.GetOrCreateCounter(fmt.Sprintf("mirrorgate_compare_route_total{target=%q,route=%q,result=%q}", m.names.target, name, i))
	}
	m.routes[name] = r
	return r
}

var tallySides = [...]tally.Side{tally.ReferenceSide, tally.TargetSide, tally.NoiseSide}

func sideIndex(whose tally.Side) int {
	switch whose {
	case tally.ReferenceSide:
		return 0
	case tally.TargetSide:
		return 1
	}
	return 2
}
