package engine

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/panjf2000/gnet/v2"
	"github.com/panjf2000/gnet/v2/pkg/pool/goroutine"
)

// This file is the only one that touches a gnet connection. What a conn holds
// belongs to its event loop; see conn for what others may touch.

const (
	// readSize is how many bytes gnet reads from a connection at a time.
	readSize = 64 << 10
	// maxBacklog is how many bytes of replies a connection may leave unread, besides
	// what the kernel holds: more than the replies to all that one read can bring.
	maxBacklog = 128 << 10
	// backlogBuffer is how far gnet's buffer for them grows before it becomes a
	// list, in which each ACK would take five times its size.
	backlogBuffer = 2 * maxBacklog
	// backlogCost is how many bytes that buffer takes at most for each in it.
	backlogCost = 2
)

// conn is a connection as its event loop knows it. Other goroutines may touch
// the deadline, and with the registry's lock the fields of the registry.
type conn struct {
	sock    gnet.Conn
	peer    net.Addr
	session session
	unread  int  // bytes of replies that gnet holds, as counted in the budget
	used    bool // a NOTIFY came
	closing bool // waits for the peer to close
	closed  bool

	begun       time.Duration // when what is unfinished began, see track; 0: nothing is
	unreadSince time.Duration // 0: all was read
	deadline    atomic.Int64  // on the server's clock in ns: when it is closed; 0: never

	closable, unused *list.Element // in the registry
	closableSince    time.Duration
}

// For what we do gnet needs no pool of goroutines, which wakes up twice a second.
func init() { goroutine.DefaultWorkerPool.Release() }

// startLoops starts gnet's event loops without listeners, see accept.
func (s *Server) startLoops() (err error) {
	s.client, err = gnet.NewClient(&loops{Server: s},
		gnet.WithNumEventLoop(s.cfg.Loops),
		gnet.WithReadBufferCap(readSize),
		gnet.WithWriteBufferCap(backlogBuffer),
		gnet.WithTCPNoDelay(gnet.TCPDelay), // leaves it as net set it: on
		gnet.WithLogger(gnetLogger{s.cfg.Logger}))
	if err == nil {
		err = s.client.Start()
	}
	if err != nil {
		return fmt.Errorf("cannot start %d event loops: %w", s.cfg.Loops, err)
	}
	return nil
}

var errNotRegistered = errors.New("the event loop refused the connection")

// enroll hands nc to the event loop that has the fewest connections.
func (s *Server) enroll(nc net.Conn, peer net.Addr) error {
	c := &conn{peer: peer}
	if _, err := s.client.EnrollContext(nc, c); err != nil {
		return err
	}
	if c.sock == nil {
		return errNotRegistered
	}
	return nil
}

// loops are the callbacks of gnet: all run on the event loop of the connection.
type loops struct {
	gnet.BuiltinEventEngine
	*Server
}

// OnOpen enters a connection that was enrolled.
func (l *loops) OnOpen(sock gnet.Conn) ([]byte, gnet.Action) {
	c := sock.Context().(*conn)
	c.sock = sock
	now := l.clock()
	c.session = newSession(&l.policy, l.registry.add(c, now))
	c.setDeadline(now + l.cfg.HandshakeTimeout)
	l.ticks.want()
	return nil, gnet.None
}

// OnTraffic is a wake-up: one read in, one write out, one Submit. Since all of
// the input is taken every time, gnet never buffers and so never copies it. The
// ACKs leave before anything is decoded. OnClose may run inside that write: what
// was acknowledged is in w by then, and is mirrored all the same.
func (l *loops) OnTraffic(sock gnet.Conn) gnet.Action {
	start := l.clock()
	c := sock.Context().(*conn)
	in, _ := sock.Next(-1)
	w := acquireWake()
	if l.cfg.Steer != nil {
		w.steer = l.cfg.Steer.Load()
	}
	c.session.feed(in, w)
	tooSlow := l.reply(c, w)
	if w.acks > 0 {
		l.counters.acks.add(l.clock()-start, w.acks)
	}
	l.submit(w)
	if tooSlow {
		return gnet.Close
	}
	return gnet.None
}

// OnClose forgets a connection, whoever closed it.
func (l *loops) OnClose(sock gnet.Conn, _ error) gnet.Action {
	c := sock.Context().(*conn)
	c.closed = true
	w := acquireWake()
	c.session.end(w)
	l.submit(w)
	c.session.host.release(backlogCost * c.unread)
	l.registry.remove(c)
	<-l.slots
	return gnet.None
}

// reply writes the replies in w, and sees to what they mean for the connection.
// It must be closed if the peer does not read what we say.
func (s *Server) reply(c *conn, w *wake) (tooSlow bool) {
	if c.unread > 0 {
		s.countUnread(c) // of what was written before
	}
	c.write(w.out[:w.helloLen]) // alone: HAProxy 3.2 and later insist on that
	c.write(w.out[w.helloLen:])
	if w.fault.what != "" {
		s.note(c.peer, w.fault)
	}
	if c.closed {
		return false
	}
	if !s.countUnread(c) {
		s.counters.refused[refusedBacklog].Inc()
		return true
	}
	s.track(c, w)
	return false
}

// countUnread counts the replies that c has not read, nearly always none, and
// reports whether they may be that many.
func (s *Server) countUnread(c *conn) bool {
	before := c.unread
	c.unread = c.sock.OutboundBuffered()
	switch {
	case c.unread <= before:
		c.session.host.release(backlogCost * (before - c.unread))
	case c.unread > maxBacklog || !c.session.host.reserve(backlogCost*(c.unread-before)):
		c.unread = before
		return false
	}
	if c.unread == 0 {
		c.unreadSince = 0
	}
	return true
}

// submit decodes the NOTIFYs in w, whose ACKs have left, submits the requests in
// them, and gives w back.
func (s *Server) submit(w *wake) {
	w.decode()
	s.counters.add(w)
	if len(w.others) > 0 {
		s.noteIgnored(w.others)
	}
	if len(w.reqs) > 0 {
		s.cfg.Mirror.Submit(w.reqs)
	}
	releaseWake(w)
}

// write sends b. If that fails gnet closes c before Write returns: OnClose has
// run then, and sock must not be touched any more.
func (c *conn) write(b []byte) {
	if len(b) > 0 && !c.closed {
		_, _ = c.sock.Write(b)
	}
}

// awaitClose gives the peer of a session that has ended some time to close.
func (s *Server) awaitClose(c *conn) {
	if c.closing {
		return
	}
	c.closing = true
	if c.sock.OutboundBuffered() == 0 {
		_ = syscall.Shutdown(c.sock.Fd(), syscall.SHUT_WR)
	}
	now := s.clock()
	c.setDeadline(now + closeTime)
	s.ticks.want()
	s.registry.markClosable(c, now)
}

// onLoop runs f on the event loop of c, unless c is closed by then.
func (c *conn) onLoop(f func()) {
	run := func(context.Context) error {
		if !c.closed {
			f()
		}
		return nil
	}
	_ = c.sock.EventLoop().Execute(context.Background(), gnet.RunnableFunc(run))
}

// close closes c at once. It must be called on the event loop of c.
func (c *conn) close() { _ = c.sock.EventLoop().Close(c.sock) }

// gnetLogger lets through only what should never happen.
type gnetLogger struct{ log *slog.Logger }

func (gnetLogger) Debugf(string, ...any) {}
func (gnetLogger) Infof(string, ...any)  {}
func (gnetLogger) Warnf(string, ...any)  {}
func (l gnetLogger) Errorf(format string, args ...any) {
	l.log.Error("event loop: " + fmt.Sprintf(format, args...))
}
func (l gnetLogger) Fatalf(format string, args ...any) { l.Errorf(format, args...) }
