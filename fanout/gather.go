package fanout

import "time"

// What wakes a worker, and what a worker wakes, costs more than a request. Nobody
// waits for a copy, so a worker of a fast target lets requests gather until it can
// send many, for a moment.

const (
	// maxGather is how long the oldest request may wait for others at the most, in
	// nanoseconds. A timer may make it a millisecond more.
	maxGather = int64(2 * time.Millisecond)
	// gatherGain is how many others have to be expected in that time: for fewer it
	// is not worth a timer.
	gatherGain = 4
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
	missing := int64(t.reach() - t.queue.n)
	return min(maxGather-(now-t.queue.front().at), missing*t.arrivals.gap)
}

// gathers reports whether there are requests that are worth to wait for more.
// t.mu is held.
func (t *target) gathers() bool {
	reach := t.reach()
	return t.queue.n > 0 && t.queue.n < reach && gatherQueue*reach <= t.cfg.Queue &&
		t.arrivals.gap <= maxGather/gatherGain && t.pace.fast() && !t.draining && !t.breaker.open()
}

// arrivals is how fast requests come.
type arrivals struct {
	last int64 // when the last one came
	gap  int64 // nanoseconds from one to the next, of the last dozen
}

// add notes n requests that come now.
func (a *arrivals) add(now int64, n int) {
	const window = 16
	gap := min((now-a.last)/int64(n), maxGather)
	a.gap += (gap - a.gap) * int64(min(n, window)) / window
	a.last = now
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
	t.processors.release()
	time.Sleep(time.Duration(wait))
	t.processors.acquire()
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
