package fanout

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/mirrorgate/mirrorgate/codec"
)

// h2Server is Go's HTTP server, and what it was sent.
type h2Server struct {
	*httptest.Server
	mu   sync.Mutex
	seen map[string]int // "POST /path 1234", the number is that of bytes of the body
}

// serveH2 starts one that speaks these protocols; answer may be nil.
func serveH2(t testing.TB, protocols string, answer http.HandlerFunc) *h2Server {
	t.Helper()
	return serveH2At(t, "127.0.0.1:0", protocols, answer)
}

// serveH2At is serveH2 at an address.
func serveH2At(t testing.TB, addr, protocols string, answer http.HandlerFunc) *h2Server {
	t.Helper()
	s := &h2Server{seen: map[string]int{}}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		s.mu.Lock()
		s.seen[fmt.Sprintf("%s %s %d %s", r.Method, r.RequestURI, n, r.Proto)]++
		if err != nil || r.ContentLength >= 0 && r.ContentLength != n {
			s.seen[fmt.Sprintf("broken %s: %d of %d bytes, %v", r.RequestURI, n, r.ContentLength, err)]++
		}
		s.mu.Unlock()
		if answer != nil {
			answer(w, r)
		}
	}))
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	s.Listener.Close()
	s.Listener = listener
	s.Config.Protocols = new(http.Protocols)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	switch protocols {
	case "h2c":
		s.Config.Protocols.SetUnencryptedHTTP2(true)
		s.Start()
		s.URL = strings.Replace(s.URL, "http", "h2c", 1)
	case "h2":
		s.Config.Protocols.SetHTTP2(true)
		s.EnableHTTP2 = true
		s.TLS = &tls.Config{NextProtos: []string{"h2"}}
		s.StartTLS()
	case "both":
		s.EnableHTTP2 = true
		s.Config.Protocols.SetHTTP1(true)
		s.Config.Protocols.SetHTTP2(true)
		s.StartTLS()
	case "http/1.1":
		s.Config.Protocols.SetHTTP1(true)
		s.StartTLS()
	}
	t.Cleanup(s.Close)
	return s
}

func (s *h2Server) trust(cfg *Config) {
	if s.Server.TLS == nil {
		return
	}
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	cfg.TLS = &tls.Config{RootCAs: roots}
}

// requestsSeen returns what came, sorted.
func (s *h2Server) requestsSeen() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for text, n := range s.seen {
		for range n {
			all = append(all, text)
		}
	}
	return sorted(all)
}

// TestHTTP2Versions sees which protocol is spoken.
func TestHTTP2Versions(t *testing.T) {
	f := func(protocols, keys, want string) {
		t.Helper()
		s := serveH2(t, protocols, nil)
		f := newFanout(t, s.trust, s.URL+keys)
		f.Submit([]codec.Request{request("GET", "/a?b", "", "host", "x")})
		drain(t, f)
		got := strings.Join(s.requestsSeen(), "; ") + "; " + counts(f.targets[0])
		if failure := f.targets[0].failures.get(); failure.Reason != "" {
			got += "; " + failure.Reason
		}
		if got != want {
			t.Errorf("%s%s: %s, want %s", protocols, keys, got, want)
		}
	}
	good := "selected=1 sent=1 2xx=1"
	f("h2c", "", "GET /a?b 0 HTTP/2.0; "+good)
	f("h2c", "/p/", "GET /p/a?b 0 HTTP/2.0; "+good)
	f("both", "", "GET /a?b 0 HTTP/2.0; "+good)
	f("both", ",http=2", "GET /a?b 0 HTTP/2.0; "+good)
	f("both", ",http=1", "GET /a?b 0 HTTP/1.1; "+good)
	f("http/1.1", "", "GET /a?b 0 HTTP/1.1; "+good)
	f("h2", "", "GET /a?b 0 HTTP/2.0; "+good)
	f("http/1.1", ",http=2", "; selected=1 dropped{tls}=1; the target does not offer HTTP/2, perhaps only HTTP/1.1 (ALPN); http=auto tries both: remote error: tls: no application protocol")
}

// TestHTTP2ExactlyOnce sends thousands of requests, and each arrives once and
// whole.
func TestHTTP2ExactlyOnce(t *testing.T) {
	f := func(protocols string) {
		t.Helper()
		const n = 3000
		s := serveH2(t, protocols, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Trailer", "X-Sum")
			io.WriteString(w, strings.Repeat("x", len(r.RequestURI)*100))
			w.Header().Set("X-Sum", "1")
		})
		f := newFanout(t, s.trust, s.URL+",conns=2")
		want := make([]string, 0, n)
		for i := range n {
			method, body := "GET", ""
			switch i % 10 {
			case 0:
				method, body = "POST", strings.Repeat("b", i*20)
			case 1:
				method = "HEAD"
			}
			path := fmt.Sprint("/", i)
			f.Submit([]codec.Request{request(method, path, body, "host", "x")})
			want = append(want, fmt.Sprintf("%s %s %d HTTP/2.0", method, path, len(body)))
		}
		drain(t, f)
		if got := strings.Join(s.requestsSeen(), "\n"); got != strings.Join(sorted(want), "\n") {
			t.Errorf("%s: the target saw %d bytes of text, want %d:\n%.2000s", protocols, len(got), len(strings.Join(want, "\n")), got)
		}
		if got := counts(f.targets[0]); got != fmt.Sprintf("selected=%d sent=%d 2xx=%d", n, n, n) {
			t.Errorf("%s: %s", protocols, got)
		}
		if opened := f.targets[0].metrics.opened.Get(); opened > 2 {
			t.Errorf("%s: %d connections", protocols, opened)
		}
	}
	f("h2c")
	f("both")
}

// TestHTTP2SlowDelaysNobody has one request hang while others on its connection are
// answered.
func TestHTTP2SlowDelaysNobody(t *testing.T) {
	hang := make(chan struct{})
	var answered atomic.Int64
	s := serveH2(t, "h2c", func(w http.ResponseWriter, r *http.Request) {
		if r.RequestURI == "/slow" {
			<-hang
			return
		}
		answered.Add(1)
	})
	f := newFanout(t, nil, s.URL+",conns=1")
	f.Submit(requests("GET /slow"))
	for i := range 100 {
		f.Submit(requests(fmt.Sprint("GET /", i)))
	}
	eventually(t, "100 requests behind a slow one", func() bool { return answered.Load() == 100 })
	close(hang)
	drain(t, f)
	if got := counts(f.targets[0]); got != "selected=101 sent=101 2xx=101" {
		t.Error(got)
	}
}
