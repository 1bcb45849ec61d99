package engine

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mirrorgate/mirrorgate/codec"
)

func TestMaxConns(t *testing.T) {
	s := serve(t, func(cfg *Config) { cfg.MaxConns = 3 })
	silent := []*client{s.dial(t), s.dial(t), s.dial(t)}
	await(t, "the silent connections", func() bool { return s.registry.len() == 3 })

	var ready []*client
	for range 3 { // each takes the place of the oldest that is silent
		ready = append(ready, s.greet(t))
	}
	for _, c := range silent {
		c.expect("EOF")
	}
	if got := s.metric(`mirrorgate_spop_connections_refused_total{reason="full"}`); got != "3" {
		t.Errorf("%s connections made room, want 3", got)
	}

	late := s.dial(t)
	late.send(greeting())
	await(t, "the log to be told", func() bool {
		return strings.Contains(s.log.String(), "all connections are in use, new ones wait")
	})
	for _, c := range ready { // none of them had to go
		c.send(notify(1))
		c.expect("ack:1:1")
	}
	_ = ready[0].Close()
	late.expect("hello:16380")
}

// A connection that has yet to close after its DISCONNECT may be closed to make room.
func TestClosingMakesRoom(t *testing.T) {
	s := serve(t, nil)
	c := s.greet(t)
	await(t, "the connection that shook hands not to be closable", func() bool {
		s.registry.mu.Lock()
		defer s.registry.mu.Unlock()
		return s.registry.closable.Len() == 0
	})
	c.send([]byte{0, 0, 0, 1})
	c.expect("disc:4", "EOF")
	await(t, "the connection to be closable", func() bool { return s.registry.oldestClosable(s.clock()) != nil })
}

func TestConnLimit(t *testing.T) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	files := int(min(limit.Cur, mostConns))
	fit := 0
	f := func(wanted, reserve, want int, wantErr string) {
		t.Helper()
		n, err := connLimit(Config{MaxConns: wanted, FitConns: fit, Reserve: reserve, Loops: 4, Listen: make([]string, 2)})
		if n != want {
			t.Errorf("%d connections, want %d", n, want)
		}
		if got := fmt.Sprint(err); got != wantErr {
			t.Errorf("the error is %q, want %q", got, wantErr)
		}
	}
	const own = 16 + 4*2 + 2*(1+maxWaiting)
	f(0, 100, files-100-own, "<nil>")
	f(50, 100, 50, "<nil>")
	fit = 10
	f(0, 100, 10, "<nil>")
	f(50, 100, 50, "<nil>")
	fit = mostConns
	f(0, 100, files-100-own, "<nil>")
	f(0, files, 0, fmt.Sprintf("cannot serve 1 connections with at most %d open files: raise the limit to %d or more (ulimit -n), or lower --conns",
		files, files+own+1))
	f(files, 100, 0, fmt.Sprintf("cannot serve %d connections with at most %d open files: raise the limit to %d or more (ulimit -n), or lower --max-conns",
		files, files, files+own+100))
}

// exhausted is a listener of a process without descriptors.
type exhausted struct{ failures int }

func (*exhausted) Addr() net.Addr              { return &net.UnixAddr{Name: "/x", Net: "unix"} }
func (*exhausted) Close() error                { return nil }
func (*exhausted) SetDeadline(time.Time) error { return nil }
func (l *exhausted) Accept() (net.Conn, error) {
	if l.failures--; l.failures < 0 {
		return nil, net.ErrClosed
	}
	return nil, &net.OpError{Op: "accept", Err: syscall.EMFILE}
}

func TestAcceptBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		s := &Server{started: time.Now(), stop: make(chan struct{})}
		s.cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
		s.background.Add(1)
		s.accept(&exhausted{failures: 10})
		if got, want := time.Since(s.started), 3275*time.Millisecond; got != want {
			t.Errorf("10 failures took %s, want %s", got, want)
		}
		if strings.Count(log.String(), "cannot accept connections: too many open files") != 10 {
			t.Errorf("the log says %q", log.String())
		}
	})
}

func TestNote(t *testing.T) {
	var log strings.Builder
	s := new(Server)
	s.cfg.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	}))
	peer := &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 5}
	f := func(peer net.Addr, noted fault, want string) {
		t.Helper()
		log.Reset()
		s.note(peer, noted)
		if got := strings.TrimSpace(log.String()); got != want {
			t.Errorf("the log says %q, want %q", got, want)
		}
	}
	f(peer, fault{what: "bad", status: codec.StatusTooBig, size: 99}, `level=WARN msg=bad peer=10.0.0.1:5 code=3 status="frame is too big" frame_bytes=99`)
	f(nil, fault{what: "bad", status: codec.StatusTooBig, size: 99}, `level=WARN msg=bad code=3 status="frame is too big" frame_bytes=99`)
	f(nil, fault{what: "other"}, `level=WARN msg=other`)
}

func garbage(t *testing.T) map[string][]byte {
	random := make([]byte, 50_000)
	if _, err := rand.Read(random); err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{
		"silence":      nil,
		"TLS":          append([]byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), random[:505]...),
		"HTTP":         []byte("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("x", 50_000)),
		"random":       random,
		"huge length":  {0xff, 0xff, 0xff, 0xff, 1},
		"half a HELLO": greeting()[:50],
		"half a frame": join(announcing(1<<32), []byte{0, 0x40, 0, 0, 3, 0, 0, 0, 1, 1, 1}),
		"a fragment":   join(announcing(1<<32), frame(codec.FrameNotify, 0, 1, 1, get("/"))),
		"zero":         make([]byte, 50_000),
	}
}

// 500 connections that talk nonsense, or nothing, do no harm to another one,
// and the lengths they claim cost nothing.
func TestGarbageHarmsNobody(t *testing.T) {
	s := serve(t, nil)
	good := s.greet(t)
	before := heap()
	kinds := garbage(t)
	for range 500 / len(kinds) {
		for _, b := range kinds {
			c := s.dial(t)
			_, _ = c.Write(b) // the agent may have closed in the middle
			good.send(notify(1, get("/")))
			good.expect("ack:1:1")
		}
	}
	for range 500 {
		s.dial(t)
	}
	for range 100 {
		good.send(notify(1, get("/")))
		good.expect("ack:1:1")
	}
	s.greet(t)
	if grown := heap() - before; grown > 32<<20 {
		t.Errorf("the heap grew by %d MiB", grown>>20)
	}
}

// heap is what is in use after a collection, in bytes.
func heap() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc + m.StackInuse)
}

// An idle connection costs a few hundred bytes: the clients here are bare
// descriptors, so all that grows is the server's.
func TestIdleConnectionIsSmall(t *testing.T) {
	const n = 500
	s := serve(t, nil)
	warm := s.greet(t)
	warm.send(notify(1, get("/")))
	warm.expect("ack:1:1")
	before := heap()
	for range n {
		bareClient(t, s.Addrs()[0].(*net.TCPAddr).Port)
	}
	if each := (heap() - before) / n; each > 4<<10 {
		t.Errorf("an idle connection takes %d bytes", each)
	}
	if got := s.registry.len(); got != n+1 {
		t.Errorf("%d connections are open, want %d", got, n+1)
	}
}

// bareClient shakes hands, has a NOTIFY acknowledged in two pieces, and stays.
func bareClient(t *testing.T, port int) {
	t.Helper()
	fd := connectFrom(t, [4]byte{127, 0, 0, 1}, port)
	var err error
	one := notify(1, get("/"))
	for _, b := range [][]byte{greeting(), one[:20], one[20:]} {
		if err == nil {
			_, err = syscall.Write(fd, b)
		}
	}
	var replies [200]byte
	for n := 0; err == nil && !strings.HasSuffix(readable(replies[:n]), "ack:1:1"); {
		var more int
		if more, err = syscall.Read(fd, replies[n:]); more == 0 {
			err = errors.Join(err, errors.New("the agent closed"))
		}
		n += more
	}
	if err != nil {
		t.Fatal(err)
	}
}
