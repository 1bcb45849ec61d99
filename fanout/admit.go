package fanout

import (
	"math"
	"sync/atomic"
	"time"
)

// dropReason says why a request that was selected for a target was not sent.
type dropReason uint8

const (
	dropNone dropReason = iota
	dropPaused
	dropBreaker
	dropRate
	dropMemory
	dropQueueFull
	dropShed
	dropStale
	dropDial
	dropTLS
	dropShutdown
	dropRemoved
	dropReasons // how many there are
)

func (r dropReason) String() string {
	return [...]string{"", "paused", "breaker", "rate", "memory", "queue_full", "shed", "stale", "dial", "tls", "shutdown", "removed"}[r]
}

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

// rateLimit is a token bucket that holds the tokens of a tenth of a second, at
// least one. It keeps nothing but the time at which the bucket was empty.
type rateLimit struct {
	perSecond float64
	interval  int64 // nanoseconds for each request
	burst     int64 // nanoseconds that a full bucket is worth
	empty     atomic.Int64
}

// newRateLimit returns a full bucket, at the time now.
func newRateLimit(perSecond float64, now int64) *rateLimit {
	interval := int64(min(float64(time.Second)/perSecond, 1<<62))
	r := &rateLimit{perSecond: perSecond, interval: interval, burst: max(interval, int64(100*time.Millisecond))}
	r.empty.Store(now - r.burst)
	return r
}

// allow takes one token, if there is one at the time now.
func (r *rateLimit) allow(now int64) bool {
	for {
		empty := r.empty.Load()
		next := max(empty, now-r.burst) + r.interval
		if next > now {
			return false
		}
		if r.empty.CompareAndSwap(empty, next) {
			return true
		}
	}
}
