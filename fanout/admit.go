package fanout

import "math"

// admit decides whether a request may wait at t, before anything is copied, so
// that a request that goes nowhere costs no more than its parse. sample is what
// it was sampled by in its group g.
func (b *batch) admit(t *target, cost int64, g *group, sample uint64) dropReason {
	if t.paused.Load() {
		return dropPaused
	}
	if b.heldBack(t) {
		return dropBreaker
	}
	if rate := t.rate.Load(); rate != nil && !rate.allow(b.now) {
		return dropRate
	}
	tb := &b.targets[t.slot]
	memory := &b.f.common.memory
	if !memory.fits(b.held+cost) || t.held.Load()+tb.held+cost > memory.limit.Load()/2 {
		return dropMemory
	}
	if t.cfg.Drop == DropOldest {
		return dropNone // the one that has waited longest will go
	}
	queued := t.length.Load() + int64(len(tb.entries))
	if queued >= int64(t.cfg.Queue) {
		return dropQueueFull
	}
	if t.cfg.Drop == DropUniform && g.rank(sample) >= admitted(queued, math.Float64frombits(t.room.Load())) {
		return dropShed
	}
	return dropNone
}

// heldBack reports whether the breaker of t keeps the request out. It lets one in
// as a probe when it is time for one and nothing waits that could be it.
func (b *batch) heldBack(t *target) bool {
	probeAt := t.breaker.probeAt.Load()
	return probeAt != 0 && (b.now < probeAt || t.length.Load() > 0 || len(b.targets[t.slot].entries) > 0)
}
