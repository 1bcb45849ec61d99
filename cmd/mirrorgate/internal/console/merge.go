package console

import (
	"maps"
	"slices"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/admin"
)

// merge makes one list of the groups of several hosts: counts and rates are added up,
// of quantiles and shares the worst counts.
func merge(hosts []instance) []admin.GroupStats {
	var all []admin.GroupStats
	for _, h := range hosts {
		for _, g := range h.stats.Groups {
			i := slices.IndexFunc(all, func(a admin.GroupStats) bool { return a.Name == g.Name })
			if i < 0 {
				g.Targets = slices.Clone(g.Targets)
				all = append(all, g)
				continue
			}
			all[i].Effective = min(all[i].Effective, g.Effective)
			for _, t := range g.Targets {
				all[i].Targets = mergeTarget(all[i].Targets, t)
			}
		}
	}
	return all
}

func mergeTarget(all []admin.TargetStats, t admin.TargetStats) []admin.TargetStats {
	i := slices.IndexFunc(all, func(a admin.TargetStats) bool { return a.Name == t.Name })
	if i < 0 {
		return append(all, t)
	}
	a := &all[i]
	a.Selected.Rate += t.Selected.Rate
	a.Sent.Rate += t.Sent.Rate
	a.ResponseRate = addRates(a.ResponseRate, t.ResponseRate)
	a.ErrorRate = addRates(a.ErrorRate, t.ErrorRate)
	a.DropRate = addRates(a.DropRate, t.DropRate)
	a.Latency = admin.Latency{P50: slower(a.Latency.P50, t.Latency.P50), P99: slower(a.Latency.P99, t.Latency.P99)}
	a.Queue += t.Queue
	a.QueueLimit += t.QueueLimit
	return all
}

func addRates(a, b map[string]float64) map[string]float64 {
	both := maps.Clone(a)
	if both == nil {
		both = map[string]float64{}
	}
	for key, rate := range b {
		both[key] += rate
	}
	return both
}

func slower(a, b *float64) *float64 {
	if a == nil || b != nil && *b > *a {
		return b
	}
	return a
}
