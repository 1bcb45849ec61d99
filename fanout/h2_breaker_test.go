package fanout

import (
	"sync/atomic"
	"testing"

	"golang.org/x/net/http2"
)

// A target that fails opens its breaker over HTTP/2, too; a probe that is answered
// closes it, and no request is lost to the sums.
func TestHTTP2Breaker(t *testing.T) {
	f := func(name string, fails func(c *frameConn, id uint32)) {
		t.Helper()
		var broken atomic.Bool
		broken.Store(true)
		rt := listenFrames(t, nil, func(c *frameConn) {
			for id, _ := c.next(); id != 0; id, _ = c.next() {
				if broken.Load() {
					fails(c, id)
				} else {
					c.headers(id, true, ":status: 200")
				}
			}
		})
		f := newFanout(t, nil, rt.url+",conns=2,timeout=50ms")
		tg := f.targets[0]
		sends := func(condition func() bool) func() bool {
			return func() bool {
				f.Submit(requests("POST /1 b", "GET /2"))
				return condition()
			}
		}
		eventually(t, name+" opens the breaker", sends(tg.breaker.open))
		broken.Store(false)
		eventually(t, "a probe closes it", sends(func() bool { return !tg.breaker.open() }))
		eventually(t, "requests are answered", sends(func() bool { return tg.metrics.responses[1].Get() > 10 }))
		drain(t, f)
	}
	f("silence", func(*frameConn, uint32) {})
	f("the end of connections", func(c *frameConn, _ uint32) { c.Close() })
	f("GOAWAY", func(c *frameConn, _ uint32) { c.WriteGoAway(0, http2.ErrCodeInternal, nil) })
}

// A target that is started again with another version of HTTP is followed.
func TestHTTP2ToHTTP1(t *testing.T) {
	first := serveH2(t, "both", nil)
	f := newFanout(t, first.trust, first.URL+",conns=1")
	tg := f.targets[0]
	f.Submit(requests("GET /1", "GET /2"))
	eventually(t, "responses over HTTP/2", func() bool { return tg.metrics.responses[1].Get() == 2 })
	addr := first.Listener.Addr().String()
	first.Close()
	second := serveH2At(t, addr, "http/1.1", nil)
	eventually(t, "responses over HTTP/1.1", func() bool {
		f.Submit(requests("GET /3"))
		return tg.metrics.responses[1].Get() > 10
	})
	drain(t, f)
	for _, seen := range second.requestsSeen() {
		if seen != "GET /3 0 HTTP/1.1" {
			t.Error(seen)
		}
	}
	if limit := tg.batchLimit.Load(); limit != 1 {
		t.Errorf("%d requests may be in flight on a connection of HTTP/1.1", limit)
	}
}
