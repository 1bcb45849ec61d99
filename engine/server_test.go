package engine

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"go.uber.org/goleak"

	"github.com/mirrorgate/mirrorgate/codec"
)

// testTimeout is how long a test waits for what must come. It is never the
// measure of anything.
const testTimeout = 2 * time.Minute

func TestMain(m *testing.M) {
	if limit := os.Getenv(childEnv); limit != "" {
		os.Exit(child(limit))
	}
	goleak.VerifyTestMain(m)
}

// recorder is a Mirror that remembers.
type recorder struct {
	mu       sync.Mutex
	requests []string
}

func (r *recorder) Submit(reqs []codec.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, req := range reqs {
		r.requests = append(r.requests, describe(req))
	}
}

func (r *recorder) list() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.requests)
}

// lockedBuffer takes the log.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// served is a server under test.
type served struct {
	*Server
	mirror *recorder
	set    *metrics.Set
	log    *lockedBuffer
	closed sync.Once
}

func serve(t testing.TB, change func(*Config)) *served {
	t.Helper()
	s := &served{mirror: new(recorder), set: metrics.NewSet(), log: new(lockedBuffer)}
	cfg := Config{
		Listen: []string{"127.0.0.1:0"}, Loops: 2, Mirror: s.mirror, Metrics: s.set,
		Logger: slog.New(slog.NewTextHandler(s.log, nil)),
	}
	if change != nil {
		change(&cfg)
	}
	var err error
	if s.Server, err = Listen(cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.shut)
	return s
}

func (s *served) shut() { s.closed.Do(func() { s.Close(context.Background()) }) }

// metric returns the value of a series as it is written.
func (s *served) metric(name string) string {
	var b bytes.Buffer
	s.set.WritePrometheus(&b)
	for line := range strings.Lines(b.String()) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(rest)
		}
	}
	return "absent"
}

// await waits until a condition holds.
func await(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(testTimeout); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("still waiting for %s", what)
		}
	}
}

// client is HAProxy's end of a connection.
type client struct {
	net.Conn
	t testing.TB
}

func (s *served) dial(t testing.TB) *client {
	t.Helper()
	return dial(t, s.Addrs()[0])
}

func dial(t testing.TB, addr net.Addr) *client {
	t.Helper()
	c, err := net.Dial(addr.Network(), addr.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(testTimeout))
	return &client{c, t}
}

// greet dials and shakes hands.
func (s *served) greet(t testing.TB) *client {
	t.Helper()
	c := s.dial(t)
	c.send(greeting())
	c.expect("hello:16380")
	return c
}

func (c *client) send(b []byte) {
	c.t.Helper()
	if _, err := c.Write(b); err != nil {
		c.t.Fatal(err)
	}
}

// next returns the next frame, or "EOF", or "reset".
func (c *client) next() string {
	var length [codec.LenSize]byte
	if _, err := io.ReadFull(c, length[:]); err == io.EOF {
		return "EOF"
	} else if err != nil {
		return "reset"
	}
	b := make([]byte, codec.FrameLen(length[:]))
	if _, err := io.ReadFull(c, b); err != nil {
		return "cut"
	}
	return readableFrame(b)
}

func (c *client) expect(words ...string) {
	c.t.Helper()
	for _, want := range words {
		if got := c.next(); got != want {
			c.t.Fatalf("the agent says %q, want %q", got, want)
		}
	}
}

// reset closes the connection as HAProxy ends a health check.
func (c *client) reset() {
	_ = c.Conn.(*net.TCPConn).SetLinger(0)
	_ = c.Close()
}

func TestServer(t *testing.T) {
	f := func(name string, change func(*Config), run func(t *testing.T, s *served)) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, serve(t, change))
		})
	}

	f("02 HELLO byte by byte", nil, func(t *testing.T, s *served) {
		c := s.dial(t)
		for _, b := range greeting() {
			c.send([]byte{b})
		}
		c.expect("hello:16380")
	})
	f("03 HELLO and NOTIFY in one segment", nil, func(t *testing.T, s *served) {
		c := s.dial(t)
		c.send(join(greeting(), notify(1, get("/"))))
		c.expect("hello:16380", "ack:1:1")
	})
	f("04 healthcheck that ends in a reset", nil, func(t *testing.T, s *served) {
		c := s.dial(t)
		c.send(vectors(t, "rx HAPROXY-HELLO healthcheck")[0])
		c.expect("hello:256")
		c.reset()
		await(t, "the end of the connection", func() bool { return s.metric("mirrorgate_spop_connections") == "0" })
		s.shut()
		if log := s.log.String(); log != "" {
			t.Fatalf("the log is not empty: %s", log)
		}
	})
	f("18 nothing before the HELLO", func(cfg *Config) { cfg.HandshakeTimeout = time.Millisecond }, func(t *testing.T, s *served) {
		silent, half := s.dial(t), s.dial(t)
		half.send(greeting()[:50])
		silent.expect("EOF")
		if got := half.next(); got != "EOF" && got != "reset" {
			t.Fatalf("half a HELLO gets %q", got)
		}
		await(t, "both to be counted", func() bool {
			return s.metric(`mirrorgate_spop_connections_refused_total{reason="handshake"}`) == "2"
		})
	})
	f("19 TLS and HTTP", nil, func(t *testing.T, s *served) {
		c := s.dial(t)
		c.send([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n" + strings.Repeat("x", 100_000)))
		c.expect("disc:3", "EOF")
		await(t, "the error to be counted", func() bool { return s.metric(`mirrorgate_spop_errors_total{code="3"}`) == "1" })
		_ = c.Close()
		s.shut()
		if log := s.log.String(); !strings.Contains(log, "is this HTTP or TLS?") || !strings.Contains(log, "peer=127.0.0.1:") {
			t.Fatalf("the log does not tell what is wrong: %q", log)
		}
	})
	f("24 frames cut anywhere", nil, func(t *testing.T, s *served) {
		c := s.greet(t)
		const n = 200
		go func() {
			rest := join(slices.Repeat([][]byte{notify(7, get("/"+strings.Repeat("x", 1000)))}, n)...)
			for size := 1; len(rest) > 0; size = size*3%4099 + 1 {
				size = min(size, len(rest))
				if _, err := c.Write(rest[:size]); err != nil {
					return
				}
				rest = rest[size:]
			}
		}()
		c.expect(slices.Repeat([]string{"ack:7:1"}, n)...)
		await(t, "all requests", func() bool { return len(s.mirror.list()) == n })
	})
	f("33 end in the middle of a frame", nil, func(t *testing.T, s *served) {
		c := s.greet(t)
		c.send(notify(1, get("/"))[:20])
		_ = c.Close()
		await(t, "the end of the connection", func() bool { return s.registry.len() == 0 })
		s.shut()
		if log := s.log.String(); log != "" {
			t.Fatalf("the log is not empty: %s", log)
		}
	})
	f("34 reset while ACKs are written", nil, func(t *testing.T, s *served) {
		for range 20 {
			c := s.greet(t)
			c.send(join(slices.Repeat([][]byte{notify(1, get("/"))}, 500)...))
			c.expect("ack:1:1")
			c.reset()
		}
		await(t, "the end of all connections", func() bool { return s.registry.len() == 0 })
		s.greet(t).send(notify(1, get("/last")))
		await(t, "the last request", func() bool {
			list := s.mirror.list()
			return len(list) > 0 && list[len(list)-1] == "GET /last  [] "
		})
	})
	f("35 peer never reads", nil, func(t *testing.T, s *served) {
		c := s.greet(t)
		_ = c.Conn.(*net.TCPConn).SetReadBuffer(4 << 10)
		flood := join(slices.Repeat([][]byte{notify(1<<64 - 1)}, 1000)...)
		for { // until the agent closes
			if _, err := c.Write(flood); err != nil {
				break
			}
		}
		await(t, "the connection to be counted", func() bool {
			return s.metric(`mirrorgate_spop_connections_refused_total{reason="backlog"}`) == "1" && s.registry.len() == 0
		})
		if held := s.policy.memory.held.Load(); held != 0 {
			t.Fatalf("%d bytes are still counted", held)
		}
	})
	f("36 HAPROXY-DISCONNECT", nil, func(t *testing.T, s *served) {
		c := s.greet(t)
		c.send(join(notify(1, get("/")), vectors(t, "rx HAPROXY-DISCONNECT")[0], notify(2, get("/"))))
		c.expect("ack:1:1", "disc:0", "EOF")
	})
	f("48 connection closes in the middle", nil, func(t *testing.T, s *served) {
		c := s.greet(t)
		c.send(frame(codec.FrameNotify, 0, 1, 1, get("/")))
		_ = c.Close()
		await(t, "the request to be rejected", func() bool { return slices.Equal(s.mirror.list(), []string{"reject aborted"}) })
	})
	f("a frame that never ends", func(cfg *Config) { cfg.FrameTimeout = time.Millisecond }, func(t *testing.T, s *served) {
		idle, stuck, drip := s.greet(t), s.greet(t), s.greet(t)
		stuck.send(notify(1, get("/"))[:20])
		drip.send(frame(codec.FrameNotify, 0, 1, 1, get("/")))
		drip.send(frame(codec.FrameUnset, 0, 1, 1))
		if got := stuck.next(); got != "EOF" && got != "reset" {
			t.Fatalf("half a frame gets %q", got)
		}
		drip.expect("EOF")
		await(t, "both to be counted", func() bool {
			return s.metric(`mirrorgate_spop_connections_refused_total{reason="frame"}`) == "2"
		})
		idle.send(notify(1))
		idle.expect("ack:1:1")
	})
	f("what follows an error is ignored, and the DISCONNECT arrives", nil, func(t *testing.T, s *served) {
		c := s.greet(t)
		c.send([]byte{0, 0, 0, 1})
		for range 100 {
			c.send(make([]byte, 10_000))
		}
		c.expect("disc:4", "EOF")
		await(t, "the server to give up on the peer", func() bool { return s.registry.len() == 0 })
	})
	f("HAProxy complains", nil, func(t *testing.T, s *served) {
		c := s.greet(t)
		c.send(codec.AppendHAProxyDisconnect(nil, codec.StatusTooBig))
		c.expect("disc:0", "EOF")
		_ = c.Close()
		s.shut()
		if log := s.log.String(); !strings.Contains(log, "HAProxy ended a connection") || !strings.Contains(log, "frame is too big") {
			t.Fatalf("the log does not tell of it: %q", log)
		}
	})
	f("counters", nil, func(t *testing.T, s *served) {
		c := s.greet(t)
		c.send(join(notify(1, get("/")), notify(2, message("other", 0)), frame(77, fin, 0, 0)))
		c.expect("ack:1:1", "ack:2:1")
		for name, want := range map[string]string{
			"mirrorgate_spop_connections":                               "1",
			`mirrorgate_spop_frames_total{type="haproxy-hello"}`:        "1",
			`mirrorgate_spop_frames_total{type="notify"}`:               "2",
			`mirrorgate_spop_frames_total{type="unset"}`:                "0",
			`mirrorgate_spop_frames_total{type="haproxy-disconnect"}`:   "0",
			`mirrorgate_spop_frames_total{type="unknown"}`:              "1",
			`mirrorgate_spop_messages_ignored_total`:                    "1",
			`mirrorgate_spop_errors_total{code="99"}`:                   "0",
			`mirrorgate_spop_connections_refused_total{reason="allow"}`: "0",
		} {
			await(t, name+" = "+want, func() bool { return s.metric(name) == want })
		}
	})
}

func TestUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "spop.sock")
	s := serve(t, func(cfg *Config) { cfg.Listen = []string{"127.0.0.1:0", "unix:" + path} })
	for _, addr := range s.Addrs() {
		c := dial(t, addr)
		c.send(join(greeting(), notify(1, get("/"+addr.Network()))))
		c.expect("hello:16380", "ack:1:1")
		_ = c.Close()
	}
	await(t, "both requests", func() bool {
		list := s.mirror.list()
		slices.Sort(list)
		return slices.Equal(list, []string{"GET /tcp  [] ", "GET /unix  [] "})
	})
	c := dial(t, s.Addrs()[1])
	c.send(make([]byte, codec.LenSize))
	c.expect("disc:4", "EOF")
	_ = c.Close()
	s.shut()
	if log := s.log.String(); !strings.Contains(log, "peer="+path) {
		t.Errorf("the log does not name the socket: %s", log)
	}
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Fatalf("the socket is still there: %v", err)
	}
}

func TestListenErrors(t *testing.T) {
	dir := t.TempDir()
	s := serve(t, func(cfg *Config) { cfg.Listen = []string{"127.0.0.1:0", "unix:" + dir + "/used"} })
	tcp := s.Addrs()[0].String()
	if err := os.WriteFile(dir+"/file", []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	datagrams, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: dir + "/datagrams", Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = datagrams.Close() }()
	f := func(addr, want string) {
		t.Helper()
		other, err := Listen(Config{Listen: []string{"unix:" + dir + "/first", addr}, Mirror: s.mirror,
			Metrics: metrics.NewSet(), Logger: slog.New(slog.DiscardHandler)})
		if err == nil {
			other.Close(context.Background())
			t.Fatalf("it is possible to listen on %s", addr)
		}
		if got := strings.ReplaceAll(err.Error(), dir, "DIR"); got != want {
			t.Errorf("the error is %q, want %q", got, want)
		}
		if _, err := os.Lstat(dir + "/first"); !os.IsNotExist(err) {
			t.Errorf("the first socket is still there: %v", err)
		}
	}
	f(tcp, "cannot listen on "+tcp+": address already in use")
	f("unix:"+dir+"/file", "cannot listen on unix:DIR/file: the file exists and is not a socket")
	f("unix:"+dir+"/used", "cannot listen on unix:DIR/used: another process answers on this socket")
	f("unix:"+dir+"/datagrams", "cannot listen on unix:DIR/datagrams: protocol wrong type for socket")
	f("unix:"+dir+"/no/such", "cannot listen on unix:DIR/no/such: no such file or directory")
	f("127.0.0.1", "cannot listen on 127.0.0.1: missing port in address")
	f("127.0.0.1:99999", "cannot listen on 127.0.0.1:99999: invalid port")
	f("192.0.2.1:0", "cannot listen on 192.0.2.1:0: cannot assign requested address")
	for _, name := range []string{"/file", "/used", "/datagrams"} {
		if _, err := os.Lstat(dir + name); err != nil {
			t.Errorf("what was there is gone: %v", err)
		}
	}
	dial(t, s.Addrs()[1]).send(greeting())
}

func TestStaleSocketIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "spop.sock")
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	ln.(*net.UnixListener).SetUnlinkOnClose(false)
	_ = ln.Close()
	s := serve(t, func(cfg *Config) { cfg.Listen = []string{"unix:" + path} })
	s.greet(t)
}

func TestAllow(t *testing.T) {
	f := func(peer string, want bool, prefixes ...string) {
		t.Helper()
		var allow []netip.Prefix
		for _, p := range prefixes {
			allow = append(allow, netip.MustParsePrefix(p))
		}
		addr := net.TCPAddrFromAddrPort(netip.MustParseAddrPort(peer))
		if got := allowed(allow, addr); got != want {
			t.Errorf("%s in %v: %v", peer, prefixes, got)
		}
	}
	f("10.1.2.3:4", true)
	f("10.1.2.3:4", true, "10.0.0.0/8")
	f("[::ffff:10.1.2.3]:4", true, "10.0.0.0/8")
	f("11.1.2.3:4", false, "10.0.0.0/8", "fe80::/10")
	f("[fe80::1%eth0]:4", true, "10.0.0.0/8", "fe80::/10")
	f("[::1]:4", false, "10.0.0.0/8")
	if !allowed([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, &net.UnixAddr{Net: "unix"}) {
		t.Error("a unix socket is refused")
	}

	s := serve(t, func(cfg *Config) { cfg.Allow = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} })
	s.dial(t).expect("EOF")
	await(t, "the peer to be counted", func() bool {
		return s.metric(`mirrorgate_spop_connections_refused_total{reason="allow"}`) == "1"
	})
}
