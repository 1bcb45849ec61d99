package fanout

import "time"

const (
	// parkTime is how long a worker waits for the responses of a fast target, in
	// nanoseconds.
	parkTime = int64(500 * time.Microsecond)
	// parkSlack is how much longer that may be: to move the deadline of a socket
	// costs as much as to parse a response.
	parkSlack = 2 * parkTime
	// lateTime is how long a worker looks for a response, in nanoseconds.
	lateTime = int64(2 * time.Millisecond)
	// turnReads is how many reads a worker spends on one connection before others
	// get their turn.
	turnReads = 4
	// headPause is how long a connection is not used behind the response to a HEAD,
	// in nanoseconds: some servers send the body all the same, in a packet of its
	// own.
	headPause = int64(50 * time.Millisecond)
)

// send writes the requests of this turn, as far as the kernel takes them.
func (w *worker) send() {
	w.handOverLate()
	if len(w.busy) == 0 {
		return
	}
	turnBuffers.acquire(&w.buf)
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

// receive reads the responses that have come, and if the target is fast and the
// worker did not just let requests gather, those that come soon. It waits for none
// if there is only one to wait for: that needs no time limit so short.
func (w *worker) receive(alone bool) {
	switch {
	case alone && len(w.busy) == 1:
		w.putOff(w.busy[0])
		w.busy[0] = nil
		w.busy = w.busy[:0]
	case w.gathered:
		w.readSent(0)
	default:
		w.readSent(w.t.now() + parkTime)
	}
	w.gathered = false
	w.report()
}

// readSent reads the responses that come until that time, if the target is fast.
// Those of earlier turns are only looked for.
func (w *worker) readSent(until int64) {
	late := w.pending
	w.pending = w.spare
	for i, c := range late {
		if w.readAll(c, 0) {
			w.finish(c)
		} else {
			w.putOff(c)
		}
		late[i] = nil
	}
	w.spare = late[:0]
	for i, c := range w.busy {
		if w.fast && c.allSent() && w.readAll(c, until) {
			w.finish(c)
		} else {
			w.putOff(c)
		}
		w.busy[i] = nil
	}
	w.busy = w.busy[:0]
}

// receivePending waits for what is pending, before the worker sleeps.
func (w *worker) receivePending() {
	if len(w.pending) > 1 {
		turnBuffers.acquire(&w.buf)
		w.busy, w.pending = w.pending, w.busy
		w.readSent(w.t.now() + parkTime)
	}
	for i, c := range w.pending {
		w.putLate(c)
		w.pending[i] = nil
	}
	w.pending = w.pending[:0]
	w.report()
}

// putOff leaves c for the next turn, unless it is late.
func (w *worker) putOff(c *conn) {
	if w.fast && c.allSent() && !c.closing && w.t.now()-c.start < lateTime {
		w.pending = append(w.pending, c)
		return
	}
	w.putLate(c)
}

// readAll reads the responses on c that come until that time, and reports whether
// all of them did. It looks before it waits: while the worker waited for the first
// of its connections something came on most others, and a deadline costs as much
// as a read.
func (w *worker) readAll(c *conn, until int64) bool {
	for reads := 0; !c.finished(); reads++ {
		if reads == turnReads {
			return false
		}
		err := c.readNow(w.buf, &w.results)
		if err != nil && w.t.now() < until {
			c.readBefore(until, parkSlack)
			err = c.readSoon(w.buf, &w.results)
		}
		if err != nil {
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
		c.socket.ackNow()
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
		t.endProbe()
		w.probed = false
	}
	t.settle(r)
	if len(r.back) > 0 {
		t.giveBack(r.back)
		clear(r.back)
		r.back = r.back[:0]
	}
}
