package engine

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"time"

	"github.com/mirrorgate/mirrorgate/codec"
)

const (
	// ownDescriptors are those that are neither listeners nor connections: the
	// standard streams, the runtime's, and a connection between accept and loop.
	ownDescriptors = 16
	// loopDescriptors are those of an event loop: epoll and eventfd.
	loopDescriptors = 2
	// mostConns keeps an unlimited number of descriptors from overflowing.
	mostConns = 1 << 20

	// safeTime is how long a connection is safe before it may be closed to make
	// room: HAProxy sends its HELLO at once.
	safeTime = 100 * time.Millisecond
	// fullNotice is how long nothing can be accepted before the log tells of it.
	fullNotice = time.Second

	minBackoff = 5 * time.Millisecond
	maxBackoff = time.Second
)

// connLimit returns how many connections there may be: as many as are wanted, or
// as there are descriptors and memory for.
func connLimit(cfg Config) (int, error) {
	wanted := cfg.MaxConns
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("cannot read the limit of open files: %w", err)
	}
	files := int(min(uint64(limit.Cur), mostConns))
	needed := cfg.Reserve + ownDescriptors + len(cfg.Listen) + cfg.Loops*loopDescriptors + max(wanted, 1)
	if needed > files {
		lower := "--conns"
		if wanted > 0 {
			lower = "--max-conns"
		}
		return 0, fmt.Errorf("cannot serve %d connections with at most %d open files: raise the limit to %d or more (ulimit -n), or lower %s",
			max(wanted, 1), files, needed, lower)
	}
	if wanted == 0 {
		wanted = files - needed + 1
		if cfg.FitConns > 0 {
			wanted = min(wanted, cfg.FitConns)
		}
	}
	return wanted, nil
}

// accept lets connections in until the listener is closed. It is not gnet that
// accepts, because a single EMFILE there silently ends all of its event loops.
func (s *Server) accept(ln net.Listener) {
	defer s.background.Done()
	backoff := minBackoff
	for {
		nc, err := ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			err = s.letIn(nc, peerOf(nc, ln))
		}
		if err == nil {
			backoff = minBackoff
			continue
		}
		// Most likely there are no descriptors: HAProxy waits in the backlog.
		s.note(ln.Addr(), fault{what: "cannot accept connections: " + cause(err).Error()})
		s.makeRoom()
		if !s.pause(backoff) {
			return
		}
		backoff = min(2*backoff, maxBackoff)
	}
}

// peerOf is the peer as it should be logged: on a unix socket it has no name.
func peerOf(nc net.Conn, ln net.Listener) net.Addr {
	if nc.RemoteAddr().Network() == "unix" {
		return ln.Addr()
	}
	return nc.RemoteAddr()
}

// letIn hands nc to an event loop if it may come in and as soon as there is
// room. The error says that there were no descriptors left.
func (s *Server) letIn(nc net.Conn, peer net.Addr) error {
	if !allowed(s.cfg.Allow, peer) {
		s.counters.refused[refusedAllow].Inc()
		_ = nc.Close()
		return nil
	}
	if !s.acquireSlot(peer) {
		_ = nc.Close()
		return nil
	}
	if err := s.enroll(nc, peer); err != nil {
		<-s.slots
		s.counters.refused[refusedResource].Inc()
		return err
	}
	return nil
}

func allowed(prefixes []netip.Prefix, peer net.Addr) bool {
	tcp, ok := peer.(*net.TCPAddr)
	if !ok || len(prefixes) == 0 {
		return true
	}
	ip := tcp.AddrPort().Addr().Unmap().WithZone("")
	return slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// acquireSlot waits until there is room for one more connection; false means that
// the server closes. While all connections have shaken hands, and no host has more
// than its share of them, nothing is accepted: HAProxy before 3.1 reacts to a
// refusal by trying again at once, and for ever.
func (s *Server) acquireSlot(peer net.Addr) bool {
	select {
	case s.slots <- struct{}{}:
		return true
	default:
	}
	for waited := time.Duration(0); ; waited += safeTime {
		if !s.makeRoom() && !s.evict(peer) && waited >= fullNotice {
			s.note(nil, fault{what: "all connections are in use, new ones wait: raise the limit (--max-conns, ulimit -n)"})
		}
		timer := time.NewTimer(safeTime)
		select {
		case s.slots <- struct{}{}:
			timer.Stop()
			return true
		case <-timer.C:
		case <-s.stop:
			timer.Stop()
			return false
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
// is one, so that newcomer has room, and reports whether there was.
func (s *Server) evict(newcomer net.Addr) bool {
	c := s.registry.overShare(addrOf(newcomer), cap(s.slots))
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

// pause waits; false means that the server closes.
func (s *Server) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.stop:
		return false
	}
}
