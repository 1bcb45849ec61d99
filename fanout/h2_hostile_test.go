package fanout

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/http2"

	"github.com/mirrorgate/mirrorgate/codec"
)

// TestHTTP2Targets sends requests to targets that do what they like, and each comes
// to its right outcome.
func TestHTTP2Targets(t *testing.T) {
	f := func(name, reqs, keys string, play func(c *frameConn), want, wantReason string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			rt := listenFrames(t, nil, play)
			f := newFanout(t, nil, rt.url+",conns=1"+keys)
			f.targets[0].hold()
			f.Submit(requests(list(reqs)...))
			f.targets[0].letGo()
			drain(t, f)
			if got := counts(f.targets[0]); got != want {
				t.Errorf("%s, want %s; seen %q", got, want, rt.requests())
			}
			if got := f.targets[0].failures.get().Reason; !strings.Contains(got, wantReason) || wantReason == "" && got != "" {
				t.Errorf("the last failure is %q, want %q", got, wantReason)
			}
		})
	}
	// first lets a target do that with the first request, and serve the others.
	first := func(do func(c *frameConn, id uint32)) func(c *frameConn) {
		return func(c *frameConn) {
			if id, _ := c.next(); c.number == 1 {
				do(c, id)
			} else if id != 0 {
				c.headers(id, true, ":status: 200")
			}
			c.serve()
		}
	}
	reset := func(code http2.ErrCode) func(c *frameConn, id uint32) {
		return func(c *frameConn, id uint32) { c.WriteRSTStream(id, code) }
	}
	const three = "GET /1, GET /2, GET /3"
	f("serves", "GET /1, POST /2 body, HEAD /3, DELETE /4", "", (*frameConn).serve, "selected=4 sent=4 2xx=4", "")
	f("resets", three, "", first(reset(http2.ErrCodeInternal)), "selected=3 sent=3 2xx=2 reset=1", "the target reset the stream: INTERNAL_ERROR")
	f("wants HTTP/1.1", three, "", first(reset(http2.ErrCodeHTTP11Required)), "selected=3 sent=3 2xx=2 reset=1", "give it http=1")
	f("refuses once", "POST /1 body, GET /2", "", first(reset(http2.ErrCodeRefusedStream)), "selected=2 sent=2 2xx=2", "")
	f("refuses always", "POST /1 body", "", func(c *frameConn) {
		for id, _ := c.next(); id != 0; id, _ = c.next() {
			c.WriteRSTStream(id, http2.ErrCodeRefusedStream)
		}
	}, "selected=1 sent=1 reset=1", "REFUSED_STREAM")
	f("resets behind the status", three, "", first(func(c *frameConn, id uint32) {
		c.headers(id, false, ":status: 503")
		c.WriteRSTStream(id, http2.ErrCodeInternal)
	}), "selected=3 sent=3 2xx=2 5xx=1", "")
	f("interim responses", three, "", first(func(c *frameConn, id uint32) {
		c.headers(id, false, ":status: 103")
		c.headers(id, true, ":status: 404")
	}), "selected=3 sent=3 2xx=2 4xx=1", "")
	f("no response at all", three, ",timeout=300ms", first(func(*frameConn, uint32) {}), "selected=3 sent=3 2xx=2 timeout=1", "no response within 300ms")
	f("no end of the body", three, ",timeout=300ms", first(func(c *frameConn, id uint32) { c.headers(id, false, ":status: 200") }), "selected=3 sent=3 2xx=3", "")
	f("a long body", three, "", first(func(c *frameConn, id uint32) {
		c.headers(id, false, ":status: 200")
		for range 64 {
			c.WriteData(id, false, make([]byte, 16<<10))
		}
		for { // which is then cancelled
			f, err := c.ReadFrame()
			if other, ok := f.(*http2.MetaHeadersFrame); ok {
				c.headers(other.StreamID, true, ":status: 200")
			}
			if _, cancelled := f.(*http2.RSTStreamFrame); cancelled || err != nil {
				return
			}
		}
	}), "selected=3 sent=3 2xx=3", "")
	f("malformed", three, "", first(func(c *frameConn, id uint32) { c.headers(id, true, "x: y") }), "selected=3 sent=3 2xx=2 protocol=1", "no response")
	f("closes", "GET /1, PUT /2 b", "", first(func(c *frameConn, _ uint32) { c.Close() }), "selected=2 sent=2 2xx=2", "connection")
	f("closes behind a POST", "POST /1 b, GET /2", "", first(func(c *frameConn, _ uint32) { c.Close() }), "selected=2 sent=2 2xx=1 reset=1", "connection")
	f("GOAWAY before anything", "POST /1 b, GET /2", "", first(func(c *frameConn, _ uint32) {
		c.WriteGoAway(0, http2.ErrCodeNo, nil)
		c.waitEnd()
	}), "selected=2 sent=2 2xx=2", "GOAWAY NO_ERROR")
	f("GOAWAY for a reason", "GET /1, GET /2", "", first(func(c *frameConn, id uint32) {
		c.headers(id, true, ":status: 200")
		c.WriteGoAway(id, http2.ErrCodeEnhanceYourCalm, []byte("too many"))
		c.waitEnd()
	}), "selected=2 sent=2 2xx=2", `GOAWAY ENHANCE_YOUR_CALM, "too many"`)
	f("GOAWAY, and the response behind it", "POST /1 b, GET /2", "", first(func(c *frameConn, id uint32) {
		c.WriteGoAway(id, http2.ErrCodeNo, nil)
		c.headers(id, true, ":status: 200")
		c.waitEnd()
	}), "selected=2 sent=2 2xx=2", "")
	f("breaks the protocol", "POST /1 b", "", func(c *frameConn) {
		if id, _ := c.next(); id != 0 {
			c.WriteRawFrame(http2.FramePing, 0, 0, []byte("short"))
			c.waitEnd()
		}
	}, "selected=1 sent=1 protocol=1", "a frame has a length that its type does not allow")
	f("floods with PING", "POST /1 b", "", func(c *frameConn) {
		c.next()
		for range 20_000 {
			if c.WritePing(false, [8]byte{}) != nil {
				return
			}
		}
		c.waitEnd()
	}, "selected=1 sent=1 protocol=1", "a flood of frames")
}

func TestHTTP2TargetSpeaksHTTP1(t *testing.T) {
	rt := listen(t, func(c *rawConn) { c.send("HTTP/1.1 400 Bad Request\r\n\r\n") })
	f := newFanout(t, nil, strings.Replace(rt.url, "http:", "h2c:", 1)+",conns=1")
	f.Submit(requests("POST /1 b", "GET /2"))
	drain(t, f)
	if got, reason := counts(f.targets[0]), f.targets[0].failures.get().Reason; got != "selected=2 sent=2 protocol=2" || !strings.Contains(reason, "the target speaks HTTP/1.1, not HTTP/2") {
		t.Error(got, reason)
	}
}

// TestHTTP2Settings obeys what a target allows: so many streams, windows of so many
// bytes.
func TestHTTP2Settings(t *testing.T) {
	f := func(name string, streams, window uint32, bodies ...int) {
		t.Helper()
		rt := listenFrames(t, []http2.Setting{
			{ID: http2.SettingMaxConcurrentStreams, Val: streams}, {ID: http2.SettingInitialWindowSize, Val: window},
		}, func(c *frameConn) {
			for id, _ := c.next(); id != 0; id, _ = c.next() {
				if len(c.open) >= int(streams) {
					c.WriteRSTStream(id, http2.ErrCodeProtocol)
				}
				c.headers(id, true, ":status: 200")
			}
		})
		f := newFanout(t, nil, rt.url+",conns=1")
		var want []string
		f.targets[0].hold()
		for i, n := range bodies {
			f.Submit([]codec.Request{request("POST", fmt.Sprint("/", i), strings.Repeat("b", n), "host", "x")})
			want = append(want, fmt.Sprintf("POST /%d %d", i, n))
		}
		f.targets[0].letGo()
		drain(t, f)
		got := rt.requests()
		if slices.Sort(got); !slices.Equal(got, sorted(want)) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
		if got, want := counts(f.targets[0]), fmt.Sprintf("selected=%[1]d sent=%[1]d 2xx=%[1]d", len(bodies)); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	f("one stream", 1, 65535, 1, 2, 3, 70_000, 5)
	f("a window of a byte", 10, 1, 1000, 10, 0, 500)
	f("two streams, a small window", 2, 100, 60_000, 60_000, 60_000, 3)
	f("large bodies", 64, 65535, 1_000_000, 1_000_000, 1_000_000, 10)
}

// TestHTTP2GoAwayEvery50 has the target end connections all the time, and not one
// request is lost or sent twice.
func TestHTTP2GoAwayEvery50(t *testing.T) {
	const n = 5000
	rt := listenFrames(t, nil, func(c *frameConn) {
		served := 0
		last := uint32(0)
		for id, line := c.next(); id != 0; id, line = c.next() {
			if served++; served > 50 {
				c.to.mu.Lock()
				at := slices.Index(c.to.seen, line)
				c.to.seen = slices.Delete(c.to.seen, at, at+1) // it is not processed
				c.to.mu.Unlock()
				continue
			}
			c.headers(id, true, ":status: 200")
			if last = id; served == 50 {
				c.WriteGoAway(last, http2.ErrCodeNo, nil)
			}
		}
	})
	f := newFanout(t, nil, rt.url+",conns=2")
	var want []string
	for i := range n {
		method := [...]string{"GET", "POST"}[i%2]
		f.Submit([]codec.Request{request(method, fmt.Sprint("/", i), strings.Repeat("b", i%2*(i%600)), "host", "x")})
		want = append(want, fmt.Sprintf("%s /%d %d", method, i, i%2*(i%600)))
	}
	drain(t, f)
	eventually(t, "each request once at the target, which forgets what it does not process", func() bool {
		return slices.Equal(sorted(rt.requests()), sorted(want))
	})
	if got := counts(f.targets[0]); got != fmt.Sprintf("selected=%d sent=%d 2xx=%d", n, n, n) {
		t.Error(got)
	}
}

// TestHTTP2StuckTarget does not read: what it is sent fills the socket, it times
// out, and the connection ends.
func TestHTTP2StuckTarget(t *testing.T) {
	rt := listenFrames(t, []http2.Setting{{ID: http2.SettingInitialWindowSize, Val: 1 << 30}}, func(c *frameConn) {
		c.WriteWindowUpdate(0, 1<<30)
		if c.number == 1 {
			buf := make([]byte, 1)
			for range 200 { // a response to the first request, nothing else
				io.ReadFull(c.in, buf)
			}
			c.headers(1, true, ":status: 200")
			<-c.to.t.Context().Done()
			return
		}
		c.serve()
	})
	f := newFanout(t, nil, rt.url+",conns=1,timeout=500ms")
	var reqs []codec.Request
	for i := range 40 {
		reqs = append(reqs, request("PUT", fmt.Sprint("/", i), strings.Repeat("b", 500_000), "host", "x"))
	}
	f.targets[0].hold()
	f.Submit(reqs)
	f.targets[0].letGo()
	drain(t, f)
	m := f.targets[0].metrics
	if m.sent.Get() != 40 || m.errors[errorTimeout].Get() == 0 {
		t.Error(counts(f.targets[0]))
	}
}

// TestHTTP2Drain gives up what hangs at the end.
func TestHTTP2Drain(t *testing.T) {
	var seen atomic.Int64
	rt := listenFrames(t, nil, func(c *frameConn) {
		for id, _ := c.next(); id != 0; id, _ = c.next() {
			seen.Add(1)
		}
	})
	f := newFanout(t, nil, rt.url+",conns=1,batch=3,timeout=1h")
	f.Submit(requests("GET /1", "GET /2", "GET /3", "GET /4", "GET /5"))
	eventually(t, "requests on the connection", func() bool { return seen.Load() == 3 })
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	f.Drain(ctx)
	if got := counts(f.targets[0]); got != "selected=5 dropped{shutdown}=2 sent=3 aborted=3" {
		t.Error(got)
	}
	checkSums(t, f)
}

// TestHTTP2Compared has pairs over HTTP/2 and HTTP/1.1.
func TestHTTP2Compared(t *testing.T) {
	f := func(name string, v1 func(c *rawConn), v2 func(c *frameConn, id uint32), want string) {
		t.Helper()
		a := listen(t, v1)
		b := listenFrames(t, nil, func(c *frameConn) {
			for id, _ := c.next(); id != 0; id, _ = c.next() {
				v2(c, id)
			}
		})
		f := newFanout(t, comparesAll, "v1="+a.url, "v2="+b.url+",against=v1")
		f.Submit(requests("GET /a", "POST /b 1"))
		drain(t, f)
		if got := found(t, f, "v2"); got != want {
			t.Errorf("%s: found %s, want %s", name, got, want)
		}
		checkPairs(t, f, "v2", 2)
	}
	json := func(c *rawConn) { c.serve(jsonResponse(`{"price":19.99}`)) }
	responds := func(body string) func(c *frameConn, id uint32) {
		return func(c *frameConn, id uint32) {
			c.headers(id, false, ":status: 103", "link: x")
			c.headers(id, false, ":status: 200", "content-type: application/json", fmt.Sprint("content-length: ", len(body)))
			c.WriteData(id, false, []byte(body[:5]))
			c.WriteData(id, true, []byte(body[5:]))
		}
	}
	f("alike", json, responds(`{"price":19.99}`), "same=2")
	f("another value", json, responds(`{"price":0.0}`), "body=2 (GET /a body: price=1/0/0) (POST /b body: price=1/0/0)")
	f("a reset", json, func(c *frameConn, id uint32) { c.WriteRSTStream(id, http2.ErrCodeInternal) },
		"error=2 (GET /a error: reset (extra)=1/0/0) (POST /b error: reset (extra)=1/0/0)")
}
