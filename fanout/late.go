package fanout

import (
	"slices"
	"time"
)

// A worker waits for what is late on one connection itself, if it has nothing else
// to do and another one sleeps, for whom the event loops can leave requests. The
// others it leaves to workers that sleep, or to new ones.

// putLate keeps c as the connection that the worker waits for itself, or hands it
// over.
func (w *worker) putLate(c *conn) {
	if w.late == nil {
		w.late = c
		return
	}
	w.handOver(c)
}

// handOver leaves c to another worker, which waits for what is late.
func (w *worker) handOver(c *conn) {
	t := w.t
	var late *worker
	t.mu.Lock()
	if len(t.sleepers) > 1 {
		late = t.popSleeper()
	}
	t.mu.Unlock()
	if late != nil {
		late.late = c
		late.rouse()
		return
	}
	late = newWorker(t)
	late.late = c
	late.start()
}

// handOverLate hands over what the worker would wait for itself.
func (w *worker) handOverLate() {
	if c := w.late; c != nil {
		w.late = nil
		w.handOver(c)
	}
}

// await writes what is left to write on c and reads the responses, however long
// both take.
func (w *worker) await(c *conn) {
	t, long := w.t, false
	c.writeRest()
	for !c.finished() {
		if c.onlyBody() && !c.inBody {
			w.report()
			t.enterBody(c)
		}
		until, slack := c.limit(), min(int64(t.cfg.Timeout)/64, lateSlack)
		if body := c.bodyAt + bodyTime + 1; c.inBody && !long && body < until {
			until, slack = body, 0
		}
		c.readBefore(until, slack)
		err := c.readLate(&w.results)
		switch {
		case err == nil:
		case c.inBody && !long && until < c.limit():
			long = true
			t.lookAgain() // its place may be needed
		default:
			c.broke(err, &w.results)
		}
	}
	if c.inBody {
		c.inBody = false
		t.mu.Lock()
		evicted := !t.leaveBody(c)
		t.mu.Unlock()
		c.closing = c.closing || evicted // whoever evicted it closes its socket any moment
	}
	w.finish(c)
	w.report()
	t.mu.Lock()
	w.putIdle(t.now()) // who is slow to respond may be about to close
	t.mu.Unlock()
}

// enterBody lets c be closed if its place is needed.
func (t *target) enterBody(c *conn) {
	c.inBody, c.bodyAt = true, t.now()
	t.mu.Lock()
	t.bodies = append(t.bodies, c)
	t.mu.Unlock()
}

// lateSlack is how much longer a response may take than its time limit, at most, in
// nanoseconds: the deadline of a socket is not moved for each request.
const lateSlack = int64(100 * time.Millisecond)

// bodyTime is how long a connection may be in a body that nobody keeps before it
// can be given up for its place, in nanoseconds: most bodies end at once.
const bodyTime = int64(100 * time.Millisecond)

// longBody reports whether there is a connection to be given up. t.mu is held.
func (t *target) longBody(now int64) bool {
	return len(t.bodies) > 0 && now-t.bodies[0].bodyAt > bodyTime
}

// lookAgain brings a worker to the queue, if it has work for one.
func (t *target) lookAgain() {
	t.mu.Lock()
	w := t.nextWorker(t.now())
	t.mu.Unlock()
	w.rouse()
}

// closeEvicted closes the connections that the worker gave up.
func (w *worker) closeEvicted() {
	for i, s := range w.evicted {
		s.Close()
		w.evicted[i] = nil
	}
	w.evicted = w.evicted[:0]
}

// closeExcess closes the connections whose place the worker gave to others.
func (w *worker) closeExcess() {
	for i, c := range w.excess {
		c.release()
		w.excess[i] = nil
	}
	w.excess = w.excess[:0]
}

// leaveBody is the end of that. It reports whether c was not evicted. t.mu is held.
func (t *target) leaveBody(c *conn) bool {
	i := slices.Index(t.bodies, c)
	if i >= 0 {
		t.bodies = slices.Delete(t.bodies, i, i+1)
	}
	return i >= 0
}
