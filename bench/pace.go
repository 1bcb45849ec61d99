package bench

import (
	"syscall"
	"time"
)

// tick is how often an open loop sends: its schedule is a burst at each tick,
// of as many requests as keep the rate.
const (
	tick     = time.Millisecond
	perTicks = float64(time.Second / tick)
)

// pace is the schedule of an open loop, in requests and time since its start.
// It never looks at what was sent, so that an agent that holds the generator up
// does not change when a request was due.
type pace struct {
	rate float64 // requests a second
}

// dueBy returns how many requests are due at the tick at t, or before.
func (p pace) dueBy(t time.Duration) uint64 {
	return uint64(p.rate * float64(t/tick) / perTicks)
}

// sleepUntil is exact to some 50 µs, where the timers of an idle Go process are
// exact to a millisecond.
func sleepUntil(t time.Time) {
	for {
		left := time.Until(t)
		if left <= 0 {
			return
		}
		ts := syscall.NsecToTimespec(int64(left))
		// An error is a signal that cut the sleep short.
		_ = syscall.Nanosleep(&ts, nil)
	}
}
