package fanout

import "time"

const (
	// parkTime is how long a worker waits for the responses of a fast target, in
	// nanoseconds.
	parkTime = int64(500 * time.Microsecond)
	// turnReads is how many reads a worker spends on one connection before others
	// get their turn.
	turnReads = 4
	// headPause is how long a connection is not used behind the response to a HEAD,
	// in nanoseconds: some servers send the body all the same, in a packet of its
	// own.
	headPause = int64(20 * time.Millisecond)
)

// send writes the requests of this turn, as far as the kernel takes them.
func (w *worker) send() {
	if len(w.busy) == 0 {
		return
	}
	acquireBuffer(&w.buf)
	for _, c := range w.busy {
		w.sendTo(c)
	}
}

func (w *worker) sendTo(c *conn) {
	t := w.t
	t.metrics.batchSize.Update(float64(len(c.batch)))
	c.begin(t.now())
	c.write(w.buf)
}

// receive reads the responses that come soon, if the target is fast. What is late
// is waited for elsewhere.
func (w *worker) receive() {
	until := w.t.now() + parkTime
	for i, c := range w.busy {
		if w.fast && c.allSent() && w.readAll(c, until, i == 0) {
			w.finish(c)
		} else {
			w.handOver(c)
		}
		w.busy[i] = nil
	}
	w.busy = w.busy[:0]
}

// readAll reads the responses on c until that time, and reports whether all of
// them came. first says that the requests have only just been written.
func (w *worker) readAll(c *conn, until int64, first bool) bool {
	for reads := 0; !c.finished(); reads++ {
		if reads == turnReads {
			return false
		}
		if !first || reads > 0 {
			if c.readNow(w.buf, &w.results) == nil {
				continue
			}
			if w.t.now() >= until {
				return false
			}
		}
		c.readBefore(until, parkTime)
		if c.readSoon(w.buf, &w.results) != nil {
			return false
		}
	}
	return true
}

// finish ends the exchange on c. The worker keeps the connection if it is good.
func (w *worker) finish(c *conn) {
	head := c.batch[0].head()
	w.probed = w.probed || c.probe
	c.forget()
	switch {
	case !c.reusable() || head && w.t.closeHeads.Load() || c.moved():
		c.close()
	case head:
		c.restUntil, c.behindHead = c.clock+headPause, true
		w.resting = append(w.resting, c)
	default:
		w.conns = append(w.conns, c)
	}
}

// report counts what this turn brought, and gives back what is sent once more.
func (w *worker) report() {
	t, r := w.t, &w.results
	if r.first > 0 || r.whole || r.cut > 0 {
		t.answered(r)
	}
	if w.probed {
		t.probed()
		w.probed = false
	}
	t.settle(r)
	if len(r.back) > 0 {
		t.giveBack(r.back)
		clear(r.back)
		r.back = r.back[:0]
	}
}
