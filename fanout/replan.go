package fanout

import (
	"math"
	"slices"

	"github.com/cespare/xxhash/v2"
)

// replan puts cfg in force, with the tunings on top. What did not change goes
// on as it is; targets that are no longer wanted leave. f.mu is held, cfg is
// valid.
func (f *Fanout) replan(cfg Config) {
	cfg.Targets = f.tunings.apply(cfg.Targets)
	f.memory.limit.Store(cfg.Memory)
	p := &plan{cfg: cfg}
	old := f.targets
	f.targets = make([]*target, len(cfg.Targets))
	p.slots = make([]*target, 0, len(cfg.Targets))
	for i, tc := range cfg.Targets {
		if at := slices.IndexFunc(old, func(t *target) bool { return t.cfg.continues(&tc) }); at >= 0 {
			f.targets[i] = old[at]
			old = slices.Delete(slices.Clone(old), at, at+1)
			p.place(f.targets[i])
		}
	}
	for i, tc := range cfg.Targets {
		if f.targets[i] == nil {
			f.targets[i] = newTarget(f.common, tc, f.counted.target(tc.Name, tc.groupName()))
			p.takeFreeSlot(f.targets[i])
		}
		f.targets[i].tune(&tc)
	}
	variants, of := newVariants(&cfg)
	p.variants, p.variantOf = variants, make([]int, len(p.slots))
	for i, t := range f.targets {
		p.variantOf[t.slot] = of[i]
	}
	p.records = slices.ContainsFunc(cfg.Targets, func(tc TargetConfig) bool { return tc.Records() })
	p.groups = f.group(cfg.Targets)
	p.links = f.newLinks(&cfg)
	for _, g := range p.groups {
		g.side = p.links.sideOf(g.members[0].target)
	}
	for _, g := range f.groups {
		if !slices.ContainsFunc(p.groups, func(h *group) bool { return h.name == g.name }) {
			g.metrics.sample.Store(0)
		}
	}
	f.groups = p.groups
	if before := f.plan.Swap(p); before != nil {
		f.former = append(slices.DeleteFunc(slices.Clone(f.former), (*plan).unused), before)
	}
	for _, t := range old {
		f.retire(t)
	}
}

// group makes the groups of the targets, in the order of the options.
func (f *Fanout) group(configs []TargetConfig) []*group {
	var groups []*group
	byName := map[string]*group{}
	for i := range configs {
		tc := &configs[i]
		name := tc.groupName()
		g := byName[name]
		if g == nil {
			g = &group{
				name: name, sample: tc.Sample, below: shareOf(tc.Sample), filter: newFilter(tc),
				seed: xxhash.Sum64String(name), metrics: f.counted.group(name),
			}
			g.metrics.sample.Store(math.Float64bits(tc.Sample))
			if g.metrics.accepted.Get() == 0 {
				g.metrics.effective.Store(math.Float64bits(tc.Sample))
			}
			byName[name] = g
			groups = append(groups, g)
		}
		g.members = append(g.members, member{f.targets[i], uint64(tc.Weight)})
		g.weight += uint64(tc.Weight)
	}
	return groups
}

// shareOf is the number below which lies the given share of all 64-bit numbers.
// All of them do not fit: 1 gives the largest number.
func shareOf(share float64) uint64 {
	if share >= 1 {
		return math.MaxUint64
	}
	return uint64(math.Ldexp(share, 64))
}

// place puts a target that was in the plan before into its slot.
func (p *plan) place(t *target) {
	for len(p.slots) <= t.slot {
		p.slots = append(p.slots, nil)
	}
	p.slots[t.slot] = t
}

func (p *plan) takeFreeSlot(t *target) {
	t.slot = slices.Index(p.slots, nil)
	if t.slot < 0 {
		t.slot = len(p.slots)
	}
	p.place(t)
}
