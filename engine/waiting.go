package engine

import (
	"net"
	"net/netip"
	"time"

	"github.com/mirrorgate/mirrorgate/codec"
)

const (
	// maxWaiting is how many connections of a listener wait for room, accepted so
	// that one host cannot keep others out of sight in the backlog.
	maxWaiting = 32
	// waitingPoll is how often they look for it, and how often one of them is
	// refused if they are more: HAProxy before 3.1 tries again at once, and for ever.
	waitingPoll = 10 * time.Millisecond
	// safeTime is how long a connection is safe before it may be closed to make
	// room: HAProxy sends its HELLO at once.
	safeTime = 100 * time.Millisecond
	// fullNotice is how long somebody waits before the log tells of it.
	fullNotice = time.Second
)

// newcomer is a connection that waits for room.
type newcomer struct {
	nc      net.Conn
	peer    net.Addr
	addr    netip.Addr
	since   time.Duration
	noted   bool          // in the log
	claimed time.Duration // when a connection of another host was ended for it; 0: never
}

// newcomers are those of one listener, oldest first.
type newcomers []newcomer

// deadline returns until when a listener may wait for one more.
func (w newcomers) deadline() time.Time {
	if len(w) == 0 {
		return time.Time{}
	}
	return time.Now().Add(waitingPoll)
}

func (w newcomers) close() {
	for _, n := range w {
		_ = n.nc.Close()
	}
}

func (w *newcomers) remove(i int) newcomer {
	n := (*w)[i]
	*w = append((*w)[:i], (*w)[i+1:]...)
	return n
}

// crowded returns the newest of the host that has the most of them.
func (w newcomers) crowded() (newest int) {
	most, count := 0, make(map[netip.Addr]int)
	for i, n := range w {
		if count[n.addr]++; count[n.addr] >= most {
			most, newest = count[n.addr], i
		}
	}
	return newest
}

// claims returns for how many of a host a connection of another was just ended.
func (w newcomers) claims(addr netip.Addr, now time.Duration) (n int) {
	for i := range w {
		if w[i].addr == addr && w[i].claims(now) {
			n++
		}
	}
	return n
}

func (n *newcomer) claims(now time.Duration) bool {
	return n.claimed != 0 && now < n.claimed+closeTime
}

// arrive adds a connection to those that wait, if it may come in. False means that
// the server closes.
func (s *Server) arrive(nc net.Conn, peer net.Addr, w *newcomers) bool {
	if !allowed(s.cfg.Allow, peer) {
		s.counters.refused[refusedAllow].Inc()
		_ = nc.Close()
		return true
	}
	*w = append(*w, newcomer{nc: nc, peer: peer, addr: addrOf(peer), since: s.clock()})
	if len(*w) <= maxWaiting {
		return true
	}
	_ = w.remove(w.crowded()).nc.Close()
	s.counters.refused[refusedFull].Inc()
	return s.pause(waitingPoll)
}

// letIn hands those that wait to event loops, as far as there is room, first one
// of the host that has the fewest connections. The error says that there were no
// descriptors left.
func (s *Server) letIn(w *newcomers) error {
	for len(*w) > 0 {
		select {
		case s.slots <- struct{}{}:
		default:
			s.wantRoom(*w)
			return nil
		}
		n := w.remove(s.fewest(*w))
		if err := s.enroll(n.nc, n.peer); err != nil {
			<-s.slots
			s.counters.refused[refusedResource].Inc()
			return err
		}
	}
	return nil
}

func (s *Server) fewest(w newcomers) (first int) {
	for i := range w {
		if s.registry.connsOf(w[i].addr) < s.registry.connsOf(w[first].addr) {
			first = i
		}
	}
	return first
}

// wantRoom makes room for those that wait, if that is possible. While all
// connections have shaken hands, and no host has more than its share of them, it is
// not: they wait until one is closed.
func (s *Server) wantRoom(w newcomers) {
	if s.makeRoom() {
		return
	}
	now := s.clock()
	for i := range w {
		n := &w[i]
		if !n.claims(now) && s.evict(n.addr, w.claims(n.addr, now)) {
			n.claimed = now
		}
		if !n.noted && now >= n.since+fullNotice {
			n.noted = true
			s.note(nil, fault{what: "all connections are in use, new ones wait: raise the limit (--max-conns, ulimit -n)"})
		}
	}
}

// makeRoom closes a connection that has been silent since it came, or that only
// waits for its peer to close, and reports whether there was one.
func (s *Server) makeRoom() bool {
	c := s.registry.oldestClosable(s.clock() - safeTime)
	if c == nil {
		return false
	}
	c.onLoop(func() {
		if c.session.state == stateReady {
			return
		}
		if c.session.state == stateHello {
			s.counters.refused[refusedFull].Inc()
		}
		c.close()
	})
	return true
}

// evict ends a connection of a host that has more than its share of them, if there
// is one, so that addr has room, and reports whether there was. That host will have
// claims more than now.
func (s *Server) evict(addr netip.Addr, claims int) bool {
	c := s.registry.overShare(addr, claims, cap(s.slots))
	if c == nil {
		return false
	}
	c.onLoop(func() {
		if c.used || c.session.state == stateClosed {
			return // at the last moment
		}
		s.cfg.Logger.Warn("one address has more than its share of all connections: the oldest that never sent a request is ended for another address",
			"address", addrOf(c.peer).String())
		s.counters.refused[refusedFull].Inc()
		s.disconnect(c, codec.StatusResource)
	})
	return true
}
