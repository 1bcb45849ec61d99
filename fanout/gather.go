package fanout

import "time"

// What wakes a worker, and what a worker wakes, costs more than a request. Nobody
// waits for a copy, so a worker of a fast target lets requests gather until it can
// send many, for a moment.

const (
	// gatherTime is how long the oldest request may wait for others, in
	// nanoseconds. A timer may make it a millisecond.
	gatherTime = int64(500 * time.Microsecond)
	// gatherQueue is how many times what a worker sends in a turn a queue has to
	// hold: nothing may be dropped for want of room that gathering takes.
	gatherQueue = 32
)

// gatherTime returns how long a worker should wait before it takes requests, in
// nanoseconds. t.mu is held.
func (t *target) gatherTime(now int64) int64 {
	if t.gathering || !t.gathers() {
		return 0
	}
	return gatherTime - (now - t.queue.front().at)
}

// gathers reports whether there are requests that are worth to wait for more.
// t.mu is held.
func (t *target) gathers() bool {
	reach := t.reach()
	return t.queue.n > 0 && t.queue.n < reach && gatherQueue*reach <= t.cfg.Queue &&
		t.pace.fast() && !t.draining && !t.breaker.open()
}

// work returns how many requests there are for one more worker: none of those
// that gather. t.mu is held.
func (t *target) work(now int64) int {
	if t.gathering && t.gathers() {
		return 0
	}
	return t.ready(now)
}

// gather waits so many nanoseconds. t.mu is held, but not meanwhile.
func (w *worker) gather(wait int64) {
	t := w.t
	t.gathering = true
	w.putIdle(t.now())
	t.mu.Unlock()
	t.leave()
	time.Sleep(time.Duration(wait))
	t.enter()
	t.mu.Lock()
	t.gathering = false
}

// ready returns how many of the queued requests workers may take: all, or while
// the breaker is open one when it is time for a probe. t.mu is held.
func (t *target) ready(now int64) int {
	switch {
	case t.breaker.holds(now):
		return 0
	case t.breaker.open():
		return min(1, t.queue.n)
	}
	return t.queue.n
}
