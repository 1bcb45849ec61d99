package fanout

const (
	// turnConns is how many connections a worker writes to before it reads.
	turnConns = 16
	// turnRequests is how many requests are moved while the target's lock is held.
	turnRequests = blockSize
)

// reach is how many requests one worker of a fast target sends in a turn. t.mu is
// held.
func (t *target) reach() int { return max(turnConns, int(t.batchLimit.Load())) }

// share is how many requests a worker puts on one connection: as many as may be
// in flight on it if the target is fast, else as few as the connections that could
// be had allow. t.mu is held.
func (w *worker) share() int {
	t := w.t
	limit := int(t.batchLimit.Load())
	if t.http2.spoken {
		return 1 // its connection takes the others itself
	}
	if limit == 1 || t.pace.fast() {
		return limit
	}
	free := max(1, len(w.conns)+len(t.idle)+t.cfg.Conns-t.open)
	return min((t.queue.n+free-1)/free, limit)
}

// takeIdle takes the idle connections that the worker will need. It reports
// whether they have to be checked before they are used. t.mu is held.
func (w *worker) takeIdle(now int64) bool {
	t := w.t
	work := t.work(now)
	if work == 0 {
		return false
	}
	share := w.share()
	need := min(turnConns, (work+share-1)/share)
	had := len(w.conns)
	for len(w.conns) < need {
		c := t.popIdle(now)
		if c == nil {
			break
		}
		w.conns = append(w.conns, c)
	}
	return len(w.conns) > had
}

// takeShare moves requests from the queue to connections, and reports whether
// there were both. t.mu is held.
func (w *worker) takeShare(now int64) bool {
	t := w.t
	share, taken := w.share(), 0
	for len(w.busy)+len(w.opening) < turnConns && taken < max(turnRequests, share) && t.work(now) > 0 {
		c := w.freshConn()
		if c == nil {
			c = w.nextConn(now)
		}
		if c == nil {
			break
		}
		taken += t.fill(c, share)
	}
	t.length.Store(int64(t.queue.n))
	if taken == 0 {
		return false
	}
	w.looking = false
	t.looking--
	w.fast = t.pace.fast()
	t.taken = now
	t.served += uint64(taken)
	return true
}

// freshConn returns a connection that has yet to be opened if the next request is
// sent for the second time, and there may be one: what is idle may end like the
// connection before. t.mu is held.
func (w *worker) freshConn() *conn {
	t := w.t
	if !t.queue.front().retried() || t.http2.spoken {
		return nil
	}
	if last := len(w.conns) - 1; last >= 0 && t.open >= t.cfg.Conns && t.dialing < t.dialLimit {
		w.excess = append(w.excess, w.conns[last])
		w.conns[last] = nil
		w.conns = w.conns[:last]
		t.forgetConn()
	}
	if !t.mayOpen() {
		return nil
	}
	c := t.newConn()
	w.opening = append(w.opening, c)
	return c
}

// nextConn returns a connection for the next requests, or nil: one that has yet to
// be opened if no other is idle; those that are have to be checked first. t.mu is
// held.
func (w *worker) nextConn(now int64) *conn {
	t := w.t
	if last := len(w.conns) - 1; last >= 0 {
		c := w.conns[last]
		w.conns[last] = nil
		w.conns = w.conns[:last]
		w.busy = append(w.busy, c)
		return c
	}
	if last := len(t.idle) - 1; last >= 0 && t.idle[last].restUntil <= now || !t.wantsStreams() {
		return nil
	}
	if !t.mayOpen() {
		w.makeRoom(now)
		return nil
	}
	c := t.newConn()
	w.opening = append(w.opening, c)
	return c
}

// makeRoom gives up the connection that is longest in a body that nobody keeps, if
// there may be no more and none is idle. Its own goroutine closes it, and comes
// back as a worker. t.mu is held.
func (w *worker) makeRoom(now int64) {
	t := w.t
	if t.open < t.cfg.Conns || len(t.idle) > 0 || !t.longBody(now) {
		return
	}
	w.evicted = append(w.evicted, t.bodies[0].socket)
	t.leaveBody(t.bodies[0])
}

// fill moves up to so many requests to an empty connection: one that has to be
// alone is. It returns their number. t.mu is held, but let go of in between if
// they are many.
func (t *target) fill(c *conn, share int) int {
	c.probe = t.breaker.open()
	if c.probe {
		t.breaker.probeAt.Store(underWay)
	}
	e := t.queue.popFront()
	c.batch = append(c.batch, e)
	if e.alone() || c.probe {
		return 1
	}
	size := int(e.size)
	for len(c.batch) < share && t.queue.n > 0 {
		next := t.queue.front()
		if size += int(next.size); next.alone() || size > maxBatchBytes {
			break
		}
		c.batch = append(c.batch, t.queue.popFront())
		if len(c.batch)%turnRequests == 0 {
			t.mu.Unlock()
			t.mu.Lock()
		}
	}
	return len(c.batch)
}

// hasConn reports whether there is a connection for a worker that has none. t.mu
// is held.
func (t *target) hasConn(now int64) bool {
	last := len(t.idle) - 1
	if t.open < t.cfg.Conns {
		return last >= 0 && t.idle[last].restUntil <= now || t.mayOpen()
	}
	return last >= 0 || t.longBody(now)
}
