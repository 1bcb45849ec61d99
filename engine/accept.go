package engine

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"syscall"
	"time"
)

const (
	// ownDescriptors are those that are neither listeners nor connections: the
	// standard streams, the runtime's, and a connection between accept and loop.
	ownDescriptors = 16
	// loopDescriptors are those of an event loop: epoll and eventfd.
	loopDescriptors = 2
	// mostConns keeps an unlimited number of descriptors from overflowing.
	mostConns = 1 << 20

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
	needed := cfg.Reserve + ownDescriptors + len(cfg.Listen)*(1+maxWaiting) + cfg.Loops*loopDescriptors + max(wanted, 1)
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
func (s *Server) accept(ln listener) {
	defer s.background.Done()
	var waiting newcomers
	defer waiting.close()
	backoff := minBackoff
	for {
		_ = ln.SetDeadline(waiting.deadline())
		nc, err := ln.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case errors.Is(err, os.ErrDeadlineExceeded):
			err = nil
		case err == nil:
			if !s.arrive(nc, peerOf(nc, ln), &waiting) {
				return
			}
		}
		if err == nil {
			err = s.letIn(&waiting)
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

func allowed(prefixes []netip.Prefix, peer net.Addr) bool {
	tcp, ok := peer.(*net.TCPAddr)
	if !ok || len(prefixes) == 0 {
		return true
	}
	ip := tcp.AddrPort().Addr().Unmap().WithZone("")
	return slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Contains(ip) })
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
