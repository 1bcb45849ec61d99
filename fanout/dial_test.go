package fanout

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
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
		mu.Lock()
		defer mu.Unlock()
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
	f := func(listenAt, source, want string) {
		t.Helper()
		from := make(chan string, 1)
		rt := listenOn(t, listenAt, func(c *rawConn) {
			host, _, _ := net.SplitHostPort(c.RemoteAddr().String())
			from <- host
			c.serve(ok)
		})
		fan := newFanout(t, func(c *Config) { c.Source = netip.MustParseAddr(source) }, rt.url)
		fan.Submit(requests("GET /"))
		drain(t, fan)
		if got := counts(fan.targets[0]); got != want {
			t.Errorf("from %s: %s, want %s", source, got, want)
		}
		if len(from) > 0 {
			if got := <-from; got != source {
				t.Errorf("connected from %s, want %s", got, source)
			}
		}
	}
	f("127.0.0.1:0", "127.0.0.7", "selected=1 sent=1 2xx=1")
	f("[::1]:0", "::1", "selected=1 sent=1 2xx=1")
	// An address that this machine does not have, for it has only one of IPv6 for
	// certain.
	f("[::1]:0", "2001:db8::1", "selected=1 dropped{dial}=1")
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
