package fanout

import (
	"math/bits"
	"sync/atomic"
)

// plan is what is in force: the groups with their targets, and what becomes of
// header fields. It never changes: whatever changes makes a new one, which the
// next batch of every event loop takes whole.
type plan struct {
	users     atomic.Int64 // batches that go by it
	cfg       Config
	groups    []*group
	slots     []*target // by target.slot; nil: free
	variants  []variant
	variantOf []int  // by target.slot
	records   bool   // one of the targets is a recording
	links     *links // nil: no target is compared with another one
}

// group is a set of targets that share one copy of each sampled request.
type group struct {
	name    string
	sample  float64
	below   uint64 // samples below are taken, unless the sample is all
	filter  filter
	members []member
	weight  uint64 // sum over members
	seed    uint64 // tells the pick apart from the sample, and from other groups
	metrics *groupMetrics
	side    int // of its target in plan.links; -1: that is none
}

type member struct {
	*target
	weight uint64
}

func (p *plan) leave() { p.users.Add(-1) }

// unused reports whether no batch goes by the plan. That is for good if it is no
// longer in force.
func (p *plan) unused() bool { return p.users.Load() == 0 }

// takes reports whether a request is in the group's sample.
func (g *group) takes(sample uint64) bool {
	return sample < g.below || g.sample >= 1
}

// rank is where in the group's sample a request that it takes lies, from 0 to 1:
// the highest are shed first.
func (g *group) rank(sample uint64) float64 { return float64(sample) / float64(g.below) }

// pick returns a target, each as often as its weight says.
func (g *group) pick(luck *draw) *target {
	if len(g.members) == 1 {
		return g.members[0].target
	}
	at, _ := bits.Mul64(luck.pick(g.seed), g.weight) // scaled from 64 bits to [0, weight)
	for i := range g.members {
		m := &g.members[i]
		if at < m.weight {
			return m.target
		}
		at -= m.weight
	}
	panic("BUG: the weights of a group do not add up")
}
