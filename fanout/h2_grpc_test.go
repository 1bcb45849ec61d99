package fanout

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/mirrorgate/mirrorgate/codec"
)

// unaryCall is a call of gRPC with one message.
func unaryCall(path string) codec.Request {
	return request("POST", path, "\x00\x00\x00\x00\x02hi", "host", "x", "content-type", "application/grpc", "te", "trailers")
}

// grpcCounts returns how many responses to calls of gRPC came, like "0=2 14=1".
func grpcCounts(f *Fanout) string {
	m := f.targets[0].grpc
	var text []string
	for code, c := range m.codes {
		if n := c.Get(); n > 0 {
			text = append(text, fmt.Sprintf("%d=%d", code, n))
		}
	}
	if n := m.other.Get(); n > 0 {
		text = append(text, fmt.Sprintf("other=%d", n))
	}
	if n := m.none.Get(); n > 0 {
		text = append(text, fmt.Sprintf("none=%d", n))
	}
	return strings.Join(text, " ")
}

// TestGRPC counts what targets respond to calls.
func TestGRPC(t *testing.T) {
	f := func(name string, responds func(c *frameConn, id uint32), want, wantGRPC string) {
		t.Helper()
		rt := listenFrames(t, nil, func(c *frameConn) {
			for id, _ := c.next(); id != 0; id, _ = c.next() {
				responds(c, id)
			}
		})
		f := newFanout(t, nil, rt.url+",timeout=300ms")
		f.Submit([]codec.Request{unaryCall("/pkg.Svc/A"), unaryCall("/pkg.Svc/B")})
		drain(t, f)
		if got := counts(f.targets[0]); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
		if got := grpcCounts(f); got != wantGRPC {
			t.Errorf("%s: grpc-status %s, want %s", name, got, wantGRPC)
		}
	}
	responds := func(trailers ...string) func(c *frameConn, id uint32) {
		return func(c *frameConn, id uint32) {
			c.headers(id, false, ":status: 200", "content-type: application/grpc")
			c.WriteData(id, false, []byte("\x00\x00\x00\x00\x02ok"))
			c.headers(id, true, trailers...)
		}
	}
	f("OK", responds("grpc-status: 0"), "selected=2 sent=2 2xx=2", "0=2")
	f("UNAVAILABLE", responds("grpc-message: x", "grpc-status: 14"), "selected=2 sent=2 5xx=2", "14=2")
	f("NOT_FOUND", responds("grpc-status: 5"), "selected=2 sent=2 2xx=2", "5=2")
	f("no code", responds("grpc-status: 17"), "selected=2 sent=2 2xx=2", "other=2")
	f("no grpc-status", responds("x: y"), "selected=2 sent=2 2xx=2", "none=2")
	f("trailers only", func(c *frameConn, id uint32) { c.headers(id, true, ":status: 200", "grpc-status: 12") }, "selected=2 sent=2 5xx=2", "12=2")
	f("no gRPC at all", func(c *frameConn, id uint32) { c.headers(id, true, ":status: 404") }, "selected=2 sent=2 4xx=2", "none=2")
	f("a stream of 2 MiB", func(c *frameConn, id uint32) {
		c.headers(id, false, ":status: 200")
		for sent := 0; sent < 2<<20; sent += 16 << 10 {
			c.WriteData(id, false, make([]byte, 16<<10))
		}
		c.headers(id, true, "grpc-status: 0")
	}, "selected=2 sent=2 2xx=2", "0=2")
	f("a stream that does not end", func(c *frameConn, id uint32) { c.headers(id, false, ":status: 200") }, "selected=2 sent=2 2xx=2", "none=2")
}

// TestTE passes on what HTTP/2 allows of TE, of gRPC alone.
func TestTE(t *testing.T) {
	var mu sync.Mutex
	var got []string
	s := serveH2(t, "h2c", func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, fmt.Sprintf("%s %q", r.RequestURI, r.Header["Te"]))
	})
	f := newFanout(t, nil, s.URL)
	grpc := unaryCall("/a")
	plain := request("POST", "/b", "x", "host", "x", "te", "trailers", "connection", "close, x-hop", "x-hop", "1")
	f.Submit([]codec.Request{grpc, plain})
	drain(t, f)
	mu.Lock()
	defer mu.Unlock()
	if want := []string{`/a ["trailers"]`, `/b []`}; fmt.Sprint(sorted(got)) != fmt.Sprint(want) {
		t.Errorf("%q, want %q", got, want)
	}
}
