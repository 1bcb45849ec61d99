package engine

import (
	"bytes"
	"context"
	"log/slog"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/panjf2000/gnet/v2"
)

// fakeSock is a gnet connection that the test is in charge of, and fakeLoop its
// event loop. What they lack must not be called.
type fakeSock struct {
	gnet.Conn
	t      *testing.T
	fd     int
	out    bytes.Buffer
	broken *conn // closed by the first Write, as gnet does on an error
	unread int   // bytes that gnet holds for the peer
	closed bool
}

type fakeLoop struct {
	gnet.EventLoop
	sock *fakeSock
}

func (f *fakeSock) EventLoop() gnet.EventLoop { return fakeLoop{sock: f} }
func (f *fakeSock) Fd() int                   { f.touch(); return f.fd }
func (f *fakeSock) OutboundBuffered() int     { f.touch(); return f.unread }

func (f *fakeSock) Write(b []byte) (int, error) {
	f.touch()
	if f.broken != nil {
		f.closed, f.broken.closed = true, true
		return 0, syscall.EPIPE
	}
	return f.out.Write(b)
}

func (l fakeLoop) Execute(ctx context.Context, r gnet.Runnable) error { return r.Run(ctx) }

func (l fakeLoop) Close(gnet.Conn) error {
	l.sock.touch()
	l.sock.closed = true
	return nil
}

func (f *fakeSock) touch() {
	f.t.Helper()
	if f.closed {
		f.t.Error("a connection was touched after it was closed")
	}
}

// fakeServer is a server without loops, and one connection to it.
func fakeServer(t *testing.T) (*Server, *conn, *fakeSock) {
	s := &Server{
		started:  time.Now(),
		registry: registry{conns: make(map[*conn]struct{})},
		counters: newCounters(metrics.NewSet(), nil),
	}
	s.cfg.Mirror = new(recorder)
	s.cfg.Logger = slog.New(slog.DiscardHandler)
	s.policy.maxFrameSize = 1 << 20
	s.policy.memory.limit = defaultMemory
	sock := &fakeSock{t: t, fd: -1}
	c := &conn{sock: sock, session: newSession(&s.policy)}
	s.registry.add(c, s.clock())
	return s, c, sock
}

func (s *Server) wakeUp(c *conn, in []byte) {
	w := acquireWake()
	c.session.feed(in, w)
	s.reply(c, w)
	s.finish(w)
}

func TestDismiss(t *testing.T) {
	f := func(name string, in []byte, replies string, closed bool) {
		t.Helper()
		s, c, sock := fakeServer(t)
		s.wakeUp(c, in)
		s.dismiss(c)
		if got := readable(sock.out.Bytes()); got != replies || sock.closed != closed {
			t.Errorf("%s: the agent said %q (closed: %v), want %q (closed: %v)", name, got, sock.closed, replies, closed)
		}
	}
	f("before the HELLO", nil, "", true) // HAProxy 3.1 and later go on at once
	f("ready", greeting(), "hello:16380 disc:0", false)
	f("after its end", join(greeting(), greeting()), "hello:16380 disc:4", false)
}

// After the last frame the peer sees the end, while we still listen: closing
// with unread input would reset the connection, and lose what we said.
func TestLeaveShutsDown(t *testing.T) {
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = syscall.Close(pair[0]), syscall.Close(pair[1]) }()
	s, c, sock := fakeServer(t)
	sock.fd = pair[0]
	s.wakeUp(c, []byte{0, 0, 0, 0})
	_ = syscall.SetNonblock(pair[1], true)
	var b [1]byte
	if n, err := syscall.Read(pair[1], b[:]); n != 0 || err != nil {
		t.Errorf("the peer reads %d bytes (%v), want the end", n, err)
	}
	if _, err := syscall.Write(pair[1], b[:]); err != nil || sock.closed {
		t.Errorf("the peer cannot write any more: %v", err)
	}
}

// A write that fails closes the connection, but what was read counts.
func TestBrokenWrite(t *testing.T) {
	s, c, sock := fakeServer(t)
	sock.broken = c
	s.wakeUp(c, join(greeting(), notify(1, get("/")), []byte{0, 0, 0, 0}))
	if got := s.cfg.Mirror.(*recorder).list(); len(got) != 1 || got[0] != "GET /  [] " {
		t.Errorf("submitted %q", got)
	}
}

func TestMakeRoom(t *testing.T) {
	f := func(name string, in []byte, wait time.Duration, found, closed bool) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			s, c, sock := fakeServer(t)
			c.session.feed(in, new(wake)) // the loop has yet to tell the registry
			time.Sleep(wait)
			if got := s.makeRoom(); got != found || sock.closed != closed {
				t.Errorf("%s: found one: %v, closed it: %v", name, got, sock.closed)
			}
			if s.makeRoom() {
				t.Errorf("%s: found it again", name)
			}
		})
	}
	f("just accepted", nil, spareTime-1, false, false)
	f("silent", nil, spareTime, true, true)
	f("shook hands just now", greeting(), spareTime, true, false)
	f("said goodbye", []byte{0, 0, 0, 0}, spareTime, true, true)
}
