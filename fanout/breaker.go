package fanout

import (
	"math"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

const (
	// breakerFailures is how many failures in a row open a breaker. Those of
	// requests, or attempts to connect, that were under way together are one.
	breakerFailures = 5
	// probePause is the shortest time to the first probe. It doubles with each
	// probe that fails, up to maxProbePause. What jitter and the tick of a target
	// without traffic add keeps probes at most a second apart.
	probePause    = int64(100 * time.Millisecond)
	maxProbePause = (int64(time.Second) - int64(tickEvery)) * 4 / 5
)

// breaker keeps a target that fails from costing anything: while it is open,
// new requests are dropped for one look at probeAt, and those that wait stay
// where they are. Now and then one request goes out as a probe; any status closes
// the breaker. All but probeAt is guarded by the target's mutex.
type breaker struct {
	probeAt  atomic.Int64 // when the next probe may go; 0: closed; underWay: one is out
	failures int          // in a row
	counted  int64        // when the last of them was counted
	pause    int64        // before the next probe, without jitter
	opened   int64        // when
}

const underWay = math.MaxInt64

func (b *breaker) open() bool { return b.probeAt.Load() != 0 }

// holds reports whether not even a probe may go at the time now.
func (b *breaker) holds(now int64) bool { return now < b.probeAt.Load() }

// fail counts a failure of what was begun at that time, and reports whether it
// opened the breaker. What was begun before the last failure was counted is a part
// of that one. What fails while the breaker is open was on its way before.
func (b *breaker) fail(now, begun int64) bool {
	if b.open() || b.failures > 0 && begun <= b.counted {
		return false
	}
	b.failures++
	b.counted = now
	if b.failures < breakerFailures {
		return false
	}
	b.opened, b.pause = now, 0
	b.postpone(now)
	return true
}

// postpone sets the time of the next probe, and ends the one that is under way.
func (b *breaker) postpone(now int64) {
	b.pause = min(max(2*b.pause, probePause), maxProbePause)
	b.probeAt.Store(now + b.pause + rand.Int64N(b.pause/4))
}

// succeed ends the row of failures and reports whether the breaker was open.
func (b *breaker) succeed() bool {
	b.failures = 0
	if !b.open() {
		return false
	}
	b.probeAt.Store(0)
	return true
}
