package engine

import "time"

const (
	// sweepEvery is how late a deadline may be noticed.
	sweepEvery = time.Second
	// lingerTime is how long a peer has to close after an AGENT-DISCONNECT. To
	// close first would reset the connection, and could cost it that frame.
	lingerTime = time.Second
)

// clock is monotonic time since the server started, never 0.
func (s *Server) clock() time.Duration { return time.Since(s.started) + 1 }

func (c *conn) overdue(now time.Duration) bool {
	d := c.deadline.Load()
	return d != 0 && d <= int64(now)
}

// track sets the deadline of c after a wake-up. A connection that shook hands
// and has nothing unfinished, on either side, may be idle for ever: HAProxy
// closes it.
func (s *Server) track(c *conn, w *wake) {
	switch {
	case c.session.state == stateHello:
	case c.session.state == stateClosed:
		s.leave(c)
	case !c.session.unfinished() && c.unread == 0:
		if c.deadline.Load() != 0 {
			c.deadline.Store(0)
		}
	case w.units > 0 || c.deadline.Load() == 0:
		// What is unfinished now began in this wake-up.
		c.deadline.Store(int64(s.clock() + s.cfg.FrameTimeout))
	}
	if w.helloLen > 0 && c.session.state == stateReady {
		s.registry.settle(c)
	}
}

// sweep closes what is overdue.
func (s *Server) sweep() {
	defer s.background.Done()
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-ticker.C:
		}
		now := s.clock()
		for _, c := range s.registry.overdue(now) {
			c.onLoop(func() { s.expire(c, now) })
		}
	}
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
		late := refusedFrame
		if !c.session.unfinished() {
			late = refusedBacklog
			if s.weigh(c); c.unread == 0 {
				c.deadline.Store(0) // it was read since
				return
			}
		}
		s.counters.refused[late].Inc()
	}
	c.close()
}
