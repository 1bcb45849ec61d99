package engine

import (
	"sync/atomic"
	"time"
)

const (
	// tickEvery is how late a deadline may be noticed.
	tickEvery = time.Second
	// closeTime is how long a peer has to close after an AGENT-DISCONNECT. To
	// close first would reset the connection, and could cost it that frame.
	closeTime = time.Second
)

// clock is monotonic time since the server started, never 0.
func (s *Server) clock() time.Duration { return time.Since(s.started) + 1 }

func (c *conn) setDeadline(d time.Duration) { c.deadline.Store(int64(d)) }

func (c *conn) overdue(now time.Duration) bool {
	d := c.deadline.Load()
	return d != 0 && d <= int64(now)
}

// track sees to the deadline of c after a wake-up. A connection that shook hands
// and has nothing unfinished, on either side, may be idle for ever: HAProxy
// closes it.
func (s *Server) track(c *conn, w *wake) {
	if w.helloLen > 0 && c.session.state == stateReady {
		s.registry.markReady(c)
	}
	if !c.used && w.frames[kindNotify] > 0 {
		c.used = true
		s.registry.markUsed(c)
	}
	switch c.session.state {
	case stateClosed:
		s.awaitClose(c)
	case stateReady:
		s.trackUnfinished(c, w)
	}
}

// trackUnfinished lets the clock of a frame run from its first byte, and that of
// replies from when they were first left unread, whatever else was finished.
func (s *Server) trackUnfinished(c *conn, w *wake) {
	unfinished := c.session.unfinished()
	if !unfinished && c.unread == 0 {
		if c.deadline.Load() != 0 {
			c.begun, c.unreadSince = 0, 0
			c.setDeadline(0)
		}
		return
	}
	now := s.clock()
	switch {
	case !unfinished:
		c.begun = 0
	case w.units > 0 || c.begun == 0:
		c.begun = now // what is unfinished now began in this wake-up
	}
	if c.unread > 0 && c.unreadSince == 0 {
		c.unreadSince = now
	}
	since, _ := c.oldest()
	c.setDeadline(since + s.cfg.FrameTimeout)
	s.ticks.want()
}

// oldest returns since when c waits for the end of a frame or for its replies to
// be read, whichever is older, and why it is refused if that does not come. It is
// 0 if c waits for neither.
func (c *conn) oldest() (since time.Duration, why refusal) {
	if c.unread > 0 && (c.begun == 0 || c.unreadSince < c.begun) {
		return c.unreadSince, refusedBacklog
	}
	return c.begun, refusedFrame
}

// ticks tells the sweeper that there is something to tick for.
type ticks struct {
	wanted atomic.Bool
	start  chan struct{} // of capacity 1
}

// want makes the sweeper tick, if it does not. Event loops call it: it costs one
// load if it does.
func (t *ticks) want() {
	if !t.wanted.Load() && !t.wanted.Swap(true) {
		select {
		case t.start <- struct{}{}:
		default:
		}
	}
}

// sweep ticks while anything has a deadline, or waits for its next use.
func (s *Server) sweep() {
	defer s.background.Done()
	for {
		select {
		case <-s.ticks.start:
		case <-s.stop:
			return
		}
		for more := true; more; {
			if !s.pause(tickEvery) {
				return
			}
			// Before the look: what asks for a tick from here on starts the next.
			s.ticks.wanted.Store(false)
			if more = s.tick(); more {
				s.ticks.wanted.Store(true)
			}
		}
	}
}

// tick closes what is overdue, and reports whether there is more to tick for.
func (s *Server) tick() (more bool) {
	now := s.clock()
	late, more := s.registry.deadlines(now)
	for _, c := range late {
		c.onLoop(func() { s.expire(c, now) })
	}
	spare := s.policy.memory.spare.trim()
	return more || len(late) > 0 || spare
}

// expire closes c, on its loop, if it is still overdue.
func (s *Server) expire(c *conn, now time.Duration) {
	if !c.overdue(now) {
		return
	}
	switch c.session.state {
	case stateHello:
		s.counters.refused[refusedHandshake].Inc()
	case stateReady:
		s.countUnread(c) // gnet does not say when they were read
		since, why := c.oldest()
		if since == 0 {
			c.setDeadline(0)
			return
		}
		if late := since + s.cfg.FrameTimeout; late > now {
			c.setDeadline(late)
			return
		}
		s.counters.refused[why].Inc()
	}
	c.close()
}
