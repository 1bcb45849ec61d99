package fanout

// push queues entries, and wakes at most one worker for all of them. The slice
// stays the caller's. It starts no goroutine, touches no payload, and moves no
// more than a block of entries before it lets go of the lock.
func (t *target) push(entries []entry, now int64) {
	var r results
	for len(entries) > 0 {
		n := min(len(entries), blockSize)
		t.pushBlock(entries[:n], now, &r)
		entries = entries[n:]
	}
	t.settle(&r)
}

func (t *target) pushBlock(entries []entry, now int64, r *results) {
	var gone []entry
	var reason dropReason
	t.mu.Lock()
	for _, e := range entries {
		switch {
		case t.draining:
			reason = t.drainReason
			gone = append(gone, e)
			continue
		case t.queue.n >= t.cfg.Queue && t.cfg.Drop != DropOldest:
			reason = dropQueueFull
			gone = append(gone, e)
			continue
		case t.queue.n >= t.cfg.Queue:
			reason = dropQueueFull
			gone = append(gone, t.queue.popFront())
		}
		t.queue.pushBack(e)
	}
	t.length.Store(int64(t.queue.n))
	t.arrivals.add(now, len(entries))
	w := t.wakeSleeper(now)
	t.mu.Unlock()
	w.rouse()
	for i := range gone {
		r.drop(&gone[i], reason)
	}
}

// giveBack puts requests that got no response at the head of the queue, where
// they came from, to be sent once more. It is called by workers alone, which look
// at the queue afterwards.
func (t *target) giveBack(entries []entry) {
	for len(entries) > 0 {
		n := max(0, len(entries)-blockSize)
		t.mu.Lock()
		for i := len(entries) - 1; i >= n; i-- {
			t.queue.pushFront(entries[i])
		}
		t.length.Store(int64(t.queue.n))
		t.mu.Unlock()
		entries = entries[:n]
	}
}

// takeStale moves what has waited too long out of the queue, a block of it at
// the most. t.mu is held.
func (t *target) takeStale(now int64, stale []entry) []entry {
	for t.queue.n > 0 && len(stale) < blockSize && now-t.queue.front().at > int64(t.cfg.MaxAge) {
		stale = append(stale, t.queue.popFront())
	}
	t.length.Store(int64(t.queue.n))
	return stale
}

// dropStale drops what has waited too long though no worker came for it.
func (t *target) dropStale(now int64) {
	var stale []entry
	var r results
	for {
		t.mu.Lock()
		stale = t.takeStale(now, stale[:0])
		t.mu.Unlock()
		for i := range stale {
			r.drop(&stale[i], dropStale)
		}
		t.settle(&r)
		if len(stale) < blockSize {
			return
		}
	}
}
