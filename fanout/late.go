package fanout

import "slices"

// handOver leaves c to a goroutine of its own, which waits for what is late and
// then goes on as a worker.
func (w *worker) handOver(c *conn) {
	late := newWorker(w.t)
	w.t.running.Go(func() {
		late.await(c)
		late.run()
	})
}

// await writes what is left to write on c and reads the responses, however long
// both take.
func (w *worker) await(c *conn) {
	t := w.t
	c.writeRest()
	for !c.finished() {
		if c.onlyBody() && !c.inBody {
			w.report()
			t.enterBody(c)
		}
		c.readBefore(c.limit(), 0)
		if err := c.readLate(&w.results); err != nil {
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
}

// enterBody lets c be closed if its place is needed.
func (t *target) enterBody(c *conn) {
	c.inBody = true
	t.mu.Lock()
	t.bodies = append(t.bodies, c)
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
