package fanout

import (
	"sync/atomic"
	"time"
)

// dropReason says why a request that was selected for a target was not sent.
type dropReason uint8

const (
	dropNone dropReason = iota
	dropBreaker
	dropRate
	dropMemory
	dropQueueFull
	dropStale
	dropDial
	dropTLS
	dropShutdown
	dropReasons // how many there are
)

func (r dropReason) String() string {
	return [...]string{"", "breaker", "rate", "memory", "queue_full", "stale", "dial", "tls", "shutdown"}[r]
}

// admit decides whether a request may wait at t, before anything is copied, so
// that a request that goes nowhere costs no more than its parse.
func (b *batch) admit(t *target, cost int64) dropReason {
	switch {
	case b.heldBack(t):
		return dropBreaker
	case t.rate != nil && !t.rate.allow(b.now):
		return dropRate
	case b.f.held.Load()+b.held+cost > b.f.cfg.Memory,
		t.held.Load()+b.targets[t.index].held+cost > b.f.cfg.Memory/2:
		return dropMemory
	case t.cfg.Drop == DropNewest && int(t.length.Load())+len(b.targets[t.index].entries) >= t.cfg.Queue:
		return dropQueueFull
	}
	return dropNone
}

// heldBack reports whether the breaker of t keeps the request out. It lets one in
// as a probe when it is time for one and nothing waits that could be it.
func (b *batch) heldBack(t *target) bool {
	probeAt := t.breaker.probeAt.Load()
	return probeAt != 0 && (b.now < probeAt || t.length.Load() > 0 || len(b.targets[t.index].entries) > 0)
}

// rateLimit is a token bucket that holds the tokens of a tenth of a second, at
// least one. It keeps nothing but the time at which the bucket was empty.
type rateLimit struct {
	interval int64 // nanoseconds for each request
	burst    int64 // nanoseconds that a full bucket is worth
	empty    atomic.Int64
}

func newRateLimit(rate float64) *rateLimit {
	interval := int64(min(float64(time.Second)/rate, 1<<62))
	r := &rateLimit{interval: interval, burst: max(interval, int64(100*time.Millisecond))}
	r.empty.Store(-r.burst)
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
