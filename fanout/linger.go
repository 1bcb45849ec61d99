package fanout

import "time"

// What wakes a lane, and what a lane wakes, costs more than a request. Nobody
// waits for a copy, so a lane of a fast target lets requests gather until they
// fill a batch, for a moment.

const (
	// lingerTime is how long the oldest request may wait for others, in
	// nanoseconds. A timer may make it a millisecond.
	lingerTime = int64(500 * time.Microsecond)
	// lingerQueue is how many times what a lane sends at once a queue has to hold:
	// nothing may be dropped for want of room that lingering takes.
	lingerQueue = 32
)

// linger returns how long a lane should wait before it takes requests, in
// nanoseconds. t.mu is held.
func (t *target) linger(now int64) int64 {
	if t.lingers || !t.gathers() {
		return 0
	}
	return lingerTime - (now - t.queue.at(0).at)
}

// gathers reports whether there are requests that are worth to wait for more.
func (t *target) gathers() bool {
	reach := t.reach()
	return t.queue.n > 0 && t.queue.n < reach && lingerQueue*reach <= t.cfg.Queue &&
		t.pace.fast() && !t.draining && !t.breaker.open()
}

// work returns how many requests there are for one more lane: none of those that
// gather. t.mu is held.
func (t *target) work(now int64) int {
	if t.lingers && t.gathers() {
		return 0
	}
	return t.ready(now)
}

// linger waits so many nanoseconds. t.mu is held, but not meanwhile.
func (l *lane) linger(wait int64) {
	t := l.t
	t.lingers = true
	l.woken = true // the queue counts on it
	t.waking++
	t.mu.Unlock()
	t.settle(&l.out)
	time.Sleep(time.Duration(wait))
	t.mu.Lock()
	t.lingers = false
}
