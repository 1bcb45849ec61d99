package fanout

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/mirrorgate/mirrorgate/codec"
	"github.com/mirrorgate/mirrorgate/fanout/internal/wire"
)

// A connection stays from one wake-up to the next.
func TestConnectionIsKept(t *testing.T) {
	rt := listen(t, func(c *rawConn) { c.serve(ok) })
	f := newFanout(t, nil, rt.url)
	for i := range 10 {
		f.Submit(requests("POST /a 1"))
		eventually(t, "a response and an idle connection", func() bool {
			return answered(f.targets[0]) == uint64(i+1) && f.targets[0].idleConns() == 1
		})
	}
	drain(t, f)
	if n := rt.connections(); n != 1 {
		t.Errorf("%d connections for ten requests one after another", n)
	}
}

// A batch of requests is one piece, so one write. A large request that is not
// rewritten is written from where it is.
func TestBatchIsOneWrite(t *testing.T) {
	fan := newFanout(t, nil, "http://target/p", "http://target,host=target", "http://target")
	defer drain(t, fan)
	encode := func(tg *target, reqs ...codec.Request) (c *conn, first, tail []byte) {
		c = &conn{t: tg}
		for i := range reqs {
			var p wire.Prepared
			if reject := fan.prepare(&p, &reqs[i]); reject != codec.RejectNone {
				t.Fatal(reject)
			}
			c.batch = append(c.batch, entry{payload: serialise(fan, &p)})
		}
		first, tail = c.encode(make([]byte, 0, turnBuffers.size))
		return c, first, tail
	}
	small := []codec.Request{request("GET", "/a", "", "host", "h"), request("POST", "/b", "body", "x", "y", "host", "h"), request("OPTIONS", "*", "", "host", "h"), request("GET", "/no-host", ""), request("POST", "/", strings.Repeat("b", 1000), "host", "h")}
	for _, tg := range fan.targets {
		var want []byte
		var sizes []int32
		for _, r := range small {
			_, first, tail := encode(tg, r)
			want = append(append(want, first...), tail...)
			sizes = append(sizes, int32(len(first)+len(tail)))
		}
		c, first, tail := encode(tg, small...)
		if !bytes.Equal(first, want) || len(tail) > 0 {
			t.Errorf("%s: got %q and %q, want %q", tg.cfg.Name, first, tail, want)
		}
		for i, e := range c.batch {
			if e.size != sizes[i] {
				t.Errorf("%s: request %d has %d bytes, want %d", tg.cfg.Name, i, e.size, sizes[i])
			}
		}
	}
	large := request("POST", "/large", strings.Repeat("b", 2*maxBatchBytes), "host", "h")
	c, first, tail := encode(fan.targets[2], large)
	if &first[0] != &c.batch[0].buf[0] || len(tail) > 0 {
		t.Error("a large request was copied")
	}
	c, first, tail = encode(fan.targets[1], large)
	if len(first) != maxBatchBytes || &tail[0] != &c.batch[0].buf[len(c.batch[0].buf)-len(tail)] {
		t.Errorf("of a large request %d bytes were copied", len(first))
	}
	if got := string(first) + string(tail); !strings.HasPrefix(got, "POST /large HTTP/1.1\r\nhost: target\r\n") || len(got) != int(c.batch[0].size) {
		t.Errorf("%d bytes that begin with %q", len(got), got[:60])
	}
}

// A batch has no more bytes than the sockets hold, lest the target wait for us
// to read while we wait for it to.
func TestBatchIsBoundedInBytes(t *testing.T) {
	const size = maxBatchBytes / 3
	rt := listen(t, func(c *rawConn) { c.serve(ok) })
	f := newFanout(t, nil, rt.url+",conns=1,batch=16")
	tg := f.targets[0]
	tg.hold()
	var reqs []codec.Request
	for range 10 {
		reqs = append(reqs, request("GET", "/", "", "x", strings.Repeat("b", size)))
	}
	reqs = append(reqs, request("GET", "/", "", "x", strings.Repeat("b", 2*maxBatchBytes)), request("GET", "/", ""))
	f.Submit(reqs)
	tg.letGo()
	drain(t, f)
	if got := counts(tg); got != "selected=12 sent=12 2xx=12" {
		t.Error(got)
	}
	if got := sample(t, f, "mirrorgate_target_batch_size_count{target=\"t1\"}"); got != "7" {
		t.Errorf("%s batches, want 5 of two, one too large for others, one small", got)
	}
}

// Responses are responses however they are cut into pieces on their way.
func TestResponsesInPieces(t *testing.T) {
	responses := ok +
		"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 404 Not Found\r\nServer: x\r\nContent-Length: 10\r\n\r\n0123456789" +
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\na;x=y\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n" +
		"HTTP/1.1 304 Not Modified\r\nContent-Length: 999\r\n\r\n"
	for size := 1; size < len(responses); size += 1 + size/4 {
		rt := listen(t, func(c *rawConn) {
			c.take(4)
			for piece := range slices.Chunk([]byte(responses), size) {
				c.send(string(piece))
			}
			c.waitEnd()
		})
		f := newFanout(t, nil, rt.url+",conns=1,batch=5")
		f.Submit(requests("GET /1", "DELETE /2", "GET /3", "GET /4"))
		drain(t, f)
		if got := counts(f.targets[0]); got != "selected=4 sent=4 2xx=2 3xx=1 4xx=1" || rt.connections() != 1 {
			t.Errorf("pieces of %d bytes: %s on %d connections", size, got, rt.connections())
		}
	}
}

// A target may answer before it has read the body.
func TestEarlyAnswer(t *testing.T) {
	const size = 8 << 20 // more than sockets hold
	var read sync.WaitGroup
	read.Add(2)
	rt := listen(t, func(c *rawConn) {
		for {
			r, err := http.ReadRequest(c.in)
			if err != nil {
				return
			}
			c.send(ok)
			if n, err := io.Copy(io.Discard, r.Body); err != nil || n != r.ContentLength {
				c.to.t.Errorf("read %d bytes of %d: %v", n, r.ContentLength, err)
			}
			read.Done()
		}
	})
	f := newFanout(t, nil, rt.url+",conns=1")
	f.Submit([]codec.Request{request("POST", "/", strings.Repeat("b", size)), request("POST", "/", strings.Repeat("b", size))})
	drain(t, f)
	read.Wait()
	if got := counts(f.targets[0]); got != "selected=2 sent=2 2xx=2" || rt.connections() != 1 {
		t.Errorf("%s on %d connections", got, rt.connections())
	}
}

// It may even answer and close without reading the body: the answer counts.
func TestEarlyAnswerAndClose(t *testing.T) {
	rt := listen(t, func(c *rawConn) {
		if c.number > 1 {
			c.serve(ok)
			return
		}
		http.ReadRequest(c.in)
		c.send("HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
	})
	f := newFanout(t, nil, rt.url+",conns=1,batch=2")
	f.Submit([]codec.Request{request("POST", "/", strings.Repeat("b", 8<<20)), request("POST", "/b", "")})
	drain(t, f)
	if got := counts(f.targets[0]); got != "selected=2 sent=2 2xx=1 4xx=1" {
		t.Error(got)
	}
}
