package fanout

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// nobody is an address at which nothing listens.
const nobody = "http://127.0.0.1:1"

func TestDialRefused(t *testing.T) {
	f := newFanout(t, nil, nobody+",conns=2", nobody)
	f.Submit(requests("GET /1", "POST /2 body", "GET /3", "GET /4"))
	drain(t, f)
	for _, tg := range f.targets {
		if got := counts(tg); got != "selected=4 dropped{dial}=4" {
			t.Errorf("target %s: %s", tg.cfg.Name, got)
		}
		if n := tg.metrics.opened.Get(); n != 0 {
			t.Errorf("target %s: %d connections counted", tg.cfg.Name, n)
		}
	}
}

// A target that is down, and comes back, is logged once each time, however many
// requests meet it.
func TestDownAndUpIsLoggedOnce(t *testing.T) {
	var out lockedBuffer
	f := newFanout(t, func(c *Config) { c.Logger = slog.New(slog.NewTextHandler(&out, nil)) }, "stg="+nobody+",conns=2")
	for range 5 {
		f.Submit(requests("GET /1", "GET /2"))
	}
	eventually(t, "all to be dropped", func() bool { return f.targets[0].metrics.dropped[dropDial].Get() == 10 })
	rt := listen(t, func(c *rawConn) { c.serve(ok) })
	f.targets[0].mu.Lock()
	f.targets[0].cfg.URL, _ = url.Parse(rt.url)
	f.targets[0].client = newClient(f.targets[0])
	f.targets[0].mu.Unlock()
	f.targets[0].dialAt.Store(0) // as if the pause were over
	for range 5 {
		f.Submit(requests("GET /1"))
	}
	drain(t, f)
	if got := counts(f.targets[0]); got != "selected=15 dropped{dial}=10 sent=5 2xx=5" {
		t.Error(got)
	}
	text := out.String()
	for _, line := range []string{"cannot connect to target", "target is reachable again"} {
		if n := strings.Count(text, line); n != 1 {
			t.Errorf("%q was logged %d times:\n%s", line, n, text)
		}
	}
	if !strings.Contains(text, "target=stg") {
		t.Errorf("the log does not name the target:\n%s", text)
	}
}

// While a target is down, connections are tried ever more rarely, up to once a
// second, and what comes in between is dropped without a copy.
func TestDialPause(t *testing.T) {
	f := newFanout(t, nil, nobody+",conns=2")
	defer drain(t, f)
	tg := f.targets[0]
	pauses := func(want ...int64) {
		t.Helper()
		for _, ms := range want {
			tg.dialAt.Store(0)
			before := f.now()
			tg.pauseDials()
			if tg.pause != ms*1e6 || tg.dialAt.Load() < before+tg.pause {
				t.Errorf("the pause is %d ns, want %d ms", tg.pause, ms)
			}
			tg.dialAt.Store(f.now() + int64(time.Hour))
			tg.pauseDials() // another lane's attempt of the same time
			if tg.pause != ms*1e6 {
				t.Errorf("the pause of %d ms became %d ns in the same round", ms, tg.pause)
			}
			tg.down.Store(true)
		}
	}
	pauses(100, 200, 400, 800, 1000, 1000)
	tg.dialAt.Store(f.now() + int64(time.Hour))
	f.Submit(requests("GET /1"))
	if got := counts(tg); got != "selected=1 dropped{dial}=1" || tg.lanes != 0 {
		t.Errorf("%s with %d lanes, want it dropped at once", got, tg.lanes)
	}
	tg.connected(nil)
	if tg.dialAt.Load() != 0 {
		t.Error("the pause goes on after a connection was made")
	}
	pauses(100)
}

// What waits while an attempt fails is dropped without one of its own, but not
// by a drain: that tries, and what comes later is counted as shutdown.
func TestDialPauseInTheQueue(t *testing.T) {
	f := newFanout(t, nil, nobody+",conns=1,batch=1")
	tg := f.targets[0]
	tg.hold()
	f.Submit(requests("GET /1", "GET /2", "GET /3"))
	tg.dialAt.Store(f.now() + int64(time.Hour))
	tg.letGo()
	eventually(t, "all to be dropped", func() bool { return tg.metrics.dropped[dropDial].Get() == 3 })
	if tg.down.Load() {
		t.Error("a connection was tried")
	}
	drain(t, f)
	tg.pauseDials()
	f.Submit(requests("GET /4"))
	if got := counts(tg); got != "selected=4 dropped{dial}=3 dropped{shutdown}=1" {
		t.Error(got)
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// TLS targets are verified by default.
func TestTLS(t *testing.T) {
	f := func(what string, config func(ca *x509.Certificate) *tls.Config, host func(addr string) string, want string) {
		t.Helper()
		var mu sync.Mutex
		var seen []string
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			mu.Lock()
			defer mu.Unlock()
			seen = append(seen, r.Method+" "+r.RequestURI+" "+string(body))
		}))
		s.Config.ErrorLog = log.New(io.Discard, "", 0)
		s.StartTLS()
		defer s.Close()
		fan := newFanout(t, func(c *Config) { c.TLS = config(s.Certificate()) }, "https://"+host(s.Listener.Addr().String())+",conns=1,batch=4")
		fan.Submit(requests("GET /1", "POST /2 body", "GET /3"))
		drain(t, fan)
		if got := counts(fan.targets[0]); got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
		if got := strings.Join(seen, ", "); strings.Contains(want, "2xx") != (got == "GET /1 , POST /2 body, GET /3 ") {
			t.Errorf("%s: target saw %q", what, got)
		}
	}
	same := func(addr string) string { return addr }
	knows := func(ca *x509.Certificate) *tls.Config {
		pool := x509.NewCertPool()
		pool.AddCert(ca)
		return &tls.Config{RootCAs: pool}
	}
	f("default", func(*x509.Certificate) *tls.Config { return nil }, same, "selected=3 dropped{tls}=3")
	f("another CA", func(*x509.Certificate) *tls.Config { return &tls.Config{RootCAs: x509.NewCertPool()} }, same, "selected=3 dropped{tls}=3")
	f("its CA", knows, same, "selected=3 sent=3 2xx=3")
	f("its CA, another name", knows, func(addr string) string { return strings.Replace(addr, "127.0.0.1", "localhost", 1) }, "selected=3 dropped{tls}=3")
	f("insecure", func(*x509.Certificate) *tls.Config { return &tls.Config{InsecureSkipVerify: true} }, same, "selected=3 sent=3 2xx=3")
}

// A target that does not speak TLS, and one that says nothing.
func TestTLSHandshakeFails(t *testing.T) {
	f := func(what string, play func(c *rawConn)) {
		t.Helper()
		rt := listen(t, play)
		fan := newFanout(t, nil, strings.Replace(rt.url, "http:", "https:", 1)+",conns=1,timeout=100ms")
		fan.Submit(requests("GET /1", "POST /2 body"))
		drain(t, fan)
		if got := counts(fan.targets[0]); got != "selected=2 dropped{tls}=2" {
			t.Errorf("%s: %s", what, got)
		}
	}
	f("no TLS", func(c *rawConn) { c.send("HTTP/1.1 400 Bad Request\r\n\r\n") })
	f("silence", func(c *rawConn) { c.waitEnd() })
}

// A handshake that hangs does not outlast the drain.
func TestDrainEndsTLSHandshake(t *testing.T) {
	connected := make(chan struct{})
	rt := listen(t, func(c *rawConn) {
		close(connected)
		c.waitEnd()
	})
	f := newFanout(t, nil, strings.Replace(rt.url, "http:", "https:", 1)+",conns=1,batch=2,timeout=1h")
	f.Submit(requests("GET /1", "GET /2", "GET /3"))
	<-connected
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	f.Drain(ctx)
	checkSums(t, f)
	if got := counts(f.targets[0]); got != "selected=3 dropped{shutdown}=3" {
		t.Error(got)
	}
}

func TestSourceAddress(t *testing.T) {
	from := make(chan string, 1)
	rt := listen(t, func(c *rawConn) {
		host, _, _ := net.SplitHostPort(c.RemoteAddr().String())
		from <- host
		c.serve(ok)
	})
	f := newFanout(t, func(c *Config) { c.Source = netip.MustParseAddr("127.0.0.7") }, rt.url)
	f.Submit(requests("GET /"))
	drain(t, f)
	if got := <-from; got != "127.0.0.7" {
		t.Errorf("connected from %s", got)
	}
}

// Without a port, the scheme says it.
func TestAddress(t *testing.T) {
	f := func(url, want string) {
		t.Helper()
		fan := newFanout(t, nil, url)
		defer drain(t, fan)
		if got := fan.targets[0].client.Addr; got != want {
			t.Errorf("%s: connects to %s, want %s", url, got, want)
		}
	}
	f("http://h", "h:80")
	f("https://h/p", "h:443")
	f("http://h:8080", "h:8080")
	f("https://[::1]", "[::1]:443")
}
