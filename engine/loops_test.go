package engine

import (
	"bytes"
	"context"
	"hash/maphash"
	"log/slog"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/panjf2000/gnet/v2"

	"github.com/mirrorgate/mirrorgate/codec"
)

// fakeSock is a gnet connection that the test is in charge of, and fakeLoop its
// event loop. What they lack must not be called.
type fakeSock struct {
	gnet.Conn
	t       *testing.T
	loops   *loops
	c       *conn
	fd      int
	in      []byte // what the next wake-up reads
	out     bytes.Buffer
	onWrite func()
	broken  bool // closed by the first Write, as gnet does on an error
	unread  int  // bytes that gnet holds for the peer
	closed  bool
}

type fakeLoop struct {
	gnet.EventLoop
	sock *fakeSock
}

func (f *fakeSock) EventLoop() gnet.EventLoop { return fakeLoop{sock: f} }
func (f *fakeSock) Context() any              { return f.c }
func (f *fakeSock) Next(int) ([]byte, error)  { f.touch(); return f.in, nil }
func (f *fakeSock) Fd() int                   { f.touch(); return f.fd }
func (f *fakeSock) OutboundBuffered() int     { f.touch(); return f.unread }

func (f *fakeSock) Write(b []byte) (int, error) {
	f.touch()
	if f.onWrite != nil {
		f.onWrite()
	}
	if f.broken {
		f.closed = true
		f.loops.OnClose(f, syscall.EPIPE)
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

// wakeUp is a wake-up of the event loop with in to read.
func (f *fakeSock) wakeUp(in []byte) gnet.Action {
	f.in = in
	return f.loops.OnTraffic(f)
}

// fakeServer is a server without loops, and one connection to it.
func fakeServer(t *testing.T) (*Server, *conn, *fakeSock) {
	s := &Server{
		started:  time.Now(),
		ignored:  ignoredMessages{seed: maphash.MakeSeed()},
		slots:    make(chan struct{}, 1),
		ticks:    ticks{start: make(chan struct{}, 1)},
		counters: newCounters(metrics.NewSet(), nil),
	}
	s.cfg.Mirror = new(recorder)
	s.cfg.Logger = slog.New(slog.DiscardHandler)
	s.cfg.HandshakeTimeout, s.cfg.FrameTimeout = defaultTimeout, defaultTimeout
	s.policy.maxFrameSize = 1 << 20
	s.policy.memory.limit = defaultMemory
	s.registry.init(&s.policy.memory)
	s.slots <- struct{}{}
	c := new(conn)
	sock := &fakeSock{t: t, loops: &loops{Server: s}, c: c, fd: -1}
	sock.loops.OnOpen(sock)
	return s, c, sock
}

func (s *Server) submitted() []string { return s.cfg.Mirror.(*recorder).list() }

// A wake-up writes its ACKs before it decodes anything: here the write takes the
// path out of the last request.
func TestAcksLeaveFirst(t *testing.T) {
	f := func(name string, before [][]byte, in []byte, replies string, requests ...string) {
		t.Helper()
		s, _, sock := fakeServer(t)
		for _, b := range before {
			sock.wakeUp(b)
		}
		writes := 0
		sock.onWrite = func() {
			if got := s.submitted(); len(got) > 0 {
				t.Errorf("%s: %q was submitted before the ACK", name, got)
			}
			copy(in[bytes.LastIndex(in, []byte("arg_path")):], "no")
			writes++
		}
		sock.out.Reset()
		sock.wakeUp(in)
		if got := readable(sock.out.Bytes()); got != replies || writes != 1 {
			t.Errorf("%s: the agent replies %q in %d writes, want %q in one", name, got, writes, replies)
		}
		if got := s.submitted(); !slices.Equal(got, requests) {
			t.Errorf("%s: submitted %q, want %q", name, got, requests)
		}
	}
	hello := [][]byte{greeting()}
	one := notify(7, get("/path"))
	f("one NOTIFY", hello, bytes.Clone(one), "ack:7:1", "GET   [] ")
	f("all of a read", hello, join(notify(1, get("/")), notify(2, []byte{200}), notify(7, get("/path"))), "ack:1:1 ack:2:1 ack:7:1",
		"GET /  [] ", "reject malformed", "GET   [] ")
	f("behind the end of another", append(hello, one[:20]), join(one[20:], notify(8, get("/path"))), "ack:7:1 ack:8:1", "GET /path  [] ", "GET   [] ")
	f("behind fragments", append(hello, frame(codec.FrameNotify, 0, 1, 1, get("/a"))), join(frame(codec.FrameUnset, fin, 1, 1), notify(8, get("/path"))),
		"ack:1:1 ack:8:1", "GET /a  [] ", "GET   [] ")
	f("before a DISCONNECT", hello, join(notify(7, get("/path")), codec.AppendHAProxyDisconnect(nil, 0)), "ack:7:1 disc:0", "GET   [] ")
}

func TestDisconnect(t *testing.T) {
	f := func(name string, in []byte, replies string, closed bool) {
		t.Helper()
		s, c, sock := fakeServer(t)
		sock.wakeUp(in)
		s.disconnect(c, codec.StatusNormal)
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
func TestAwaitCloseShutsDown(t *testing.T) {
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = syscall.Close(pair[0]), syscall.Close(pair[1]) }()
	_, _, sock := fakeServer(t)
	sock.fd = pair[0]
	sock.wakeUp([]byte{0, 0, 0, 0})
	_ = syscall.SetNonblock(pair[1], true)
	var b [1]byte
	if n, err := syscall.Read(pair[1], b[:]); n != 0 || err != nil {
		t.Errorf("the peer reads %d bytes (%v), want the end", n, err)
	}
	if _, err := syscall.Write(pair[1], b[:]); err != nil || sock.closed {
		t.Errorf("the peer cannot write any more: %v", err)
	}
}

// A write that fails closes the connection within the write, but what was
// acknowledged is mirrored, and what was unfinished is aborted, once.
func TestBrokenWrite(t *testing.T) {
	f := func(name string, requests []string, reads ...[]byte) {
		t.Helper()
		s, c, sock := fakeServer(t)
		sock.wakeUp(greeting())
		for i, in := range reads {
			sock.broken = i == len(reads)-1
			sock.wakeUp(in)
			spoil(in) // as the next read does
		}
		if got := s.submitted(); !slices.Equal(got, requests) || !c.closed || s.registry.len() != 0 || len(s.slots) != 0 {
			t.Errorf("%s: submitted %q, want %q; %d connections are left", name, got, requests, s.registry.len())
		}
		if held := s.policy.memory.held.Load(); held != 0 {
			t.Errorf("%s: %d bytes are still held", name, held)
		}
	}
	one := notify(1, get("/"))
	f("one NOTIFY", []string{"GET /  [] "}, bytes.Clone(one))
	f("a NOTIFY and an error", []string{"GET /  [] "}, notify(1, get("/")), []byte{0, 0, 0, 0})
	f("in two reads", []string{"GET /  [] "}, bytes.Clone(one[:20]), join(one[20:], one[:10]))
	f("fragments", []string{"GET /  [] "}, frame(codec.FrameNotify, 0, 1, 1, get("/")), frame(codec.FrameUnset, fin, 1, 1))
	f("fragments that lack the last", []string{"reject aborted", "GET /  [] "}, join(notify(1, get("/")), frame(codec.FrameNotify, 0, 2, 1, get("/2"))))
	large := notify(1, mirror(arg("arg_method", str("POST")), arg("arg_path", str("/")), arg("arg_body", bin(strings.Repeat("x", 100_000)))))
	s, _, sock := fakeServer(t)
	sock.wakeUp(announcing(1 << 20))
	sock.wakeUp(large[:60_000])
	sock.broken = true
	sock.wakeUp(large[60_000:])
	if got := s.submitted(); !slices.Equal(got, []string{"POST /  [] <100000 bytes>"}) {
		t.Errorf("of a large frame %q was submitted", got)
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
	f("just accepted", nil, safeTime-1, false, false)
	f("silent", nil, safeTime, true, true)
	f("shook hands just now", greeting(), safeTime, true, false)
	f("disconnected", []byte{0, 0, 0, 0}, safeTime, true, true)
}
