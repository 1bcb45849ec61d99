package fanout

// A lane that sleeps until its one request is answered costs more than the
// request. So with batch=1 a lane of a fast target carries others: it takes
// requests for idle lanes as well, writes each to the connection of its lane,
// and reads the answers while those lanes sleep on. Whatever is not as it nearly
// always is, is left to the lane that has the connection: it is woken, and goes on
// from there.

// maxReach is how many requests a lane that carries others sends at once, its own
// included.
const maxReach = 16

// carries reports whether lanes carry others. t.mu is held.
func (t *target) carries() bool { return t.batchLimit.Load() == 1 && t.pace.fast() }

// reach is how many requests one lane sends at once, if it is fast. t.mu is held.
func (t *target) reach() int {
	if t.carries() {
		return maxReach
	}
	return int(t.batchLimit.Load())
}

// takeAlong takes requests for free lanes, whose connections are good as far as
// is known; a lane that has yet to see to its connection is woken. t.mu is held.
func (l *lane) takeAlong(now int64) {
	t := l.t
	if l.stream == nil || !t.carries() || !l.usable() {
		return
	}
	for n := 1; n < maxReach && t.ready(now) > 0; n++ {
		c := t.freeLane()
		if c == nil {
			return
		}
		c.takeShare(now)
		if c.stream != nil && now-c.idleSince < idleCheck && !c.moved() {
			l.carried = append(l.carried, c)
		} else {
			c.wake <- struct{}{}
		}
	}
}

func (l *lane) sendCarried() {
	for _, c := range l.carried {
		c.send()
	}
}

// readCarried reads the answers for the carried lanes that come in time. Should
// its own not, the others are free at once.
func (l *lane) readCarried() {
	if len(l.carried) == 0 {
		return
	}
	kept := l.carried[:0]
	for _, c := range l.carried {
		if l.readFor(c) {
			kept = append(kept, c)
		} else {
			c.wake <- struct{}{}
		}
	}
	clear(l.carried[len(kept):])
	l.carried = kept
	if !l.arrives() {
		l.letGo()
		l.t.settle(&l.out)
		l.t.inflight.Add(-int64(l.forOthers))
		l.forOthers = 0
		l.clock = l.start
	}
}

// arrives waits for the answer, but not for long.
func (l *lane) arrives() bool {
	l.deadline, l.slack = l.start+patience, patience
	_, err := l.reader.Peek(1)
	return err == nil
}

// readFor reads and counts the answer of a carried lane. If it does not come
// soon, or is no simple one, what came stays where it is.
func (l *lane) readFor(c *lane) bool {
	if c.writeErr != nil || !c.arrives() {
		c.clock = c.start
		return false
	}
	e := c.batch[0]
	b, _ := c.reader.Peek(c.reader.Buffered())
	a, ok := parseSimpleAnswer(b, e.head)
	if !ok || a.head+a.body != len(b) {
		return false
	}
	c.reader.Discard(len(b))
	c.proven, c.underWay = true, false
	l.answeredBy(e, a.code, c.clock-c.start)
	l.forOthers++
	clear(c.batch)
	c.batch = c.batch[:0]
	return true
}

// putBack makes the carried lanes idle again, and wakes those that have something
// to do. t.mu is held.
func (l *lane) putBack() {
	if len(l.carried) == 0 {
		return
	}
	t := l.t
	now := t.f.now()
	for _, c := range l.carried {
		if len(c.batch) > 0 || t.draining {
			c.wake <- struct{}{}
			continue
		}
		c.idleSince = now
		t.idle = append(t.idle, c)
	}
	clear(l.carried)
	l.carried = l.carried[:0]
}

// letGo is putBack, for a lane that has something to wait for: others may be
// wanted by the queue now.
func (l *lane) letGo() {
	if len(l.carried) == 0 {
		return
	}
	t := l.t
	t.mu.Lock()
	l.putBack()
	wake := t.ring(t.f.now())
	t.mu.Unlock()
	wake.all()
}
