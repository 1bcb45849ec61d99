package fanout

import (
	"sync/atomic"
	"time"
)

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
