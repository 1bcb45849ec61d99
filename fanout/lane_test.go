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
		eventually(t, "an answer and an idle lane", func() bool {
			return answered(f.targets[0]) == uint64(i+1) && f.targets[0].idleLanes() == 1
		})
	}
	drain(t, f)
	if n := rt.connections(); n != 1 {
		t.Errorf("%d connections for ten requests one after another", n)
	}
}

// A lane whose connection has ended has none.
func TestIdleWithoutConnection(t *testing.T) {
	rt := listen(t, func(c *rawConn) { c.serve(okClose) })
	f := newFanout(t, nil, rt.url)
	tg := f.targets[0]
	f.Submit(requests("POST /a 1"))
	eventually(t, "an idle lane", func() bool { return tg.idleLanes() == 1 })
	tg.mu.Lock()
	if l := tg.idle[0]; l.stream != nil || l.socket != nil {
		t.Error("it has a connection")
	}
	tg.mu.Unlock()
	drain(t, f)
}

func (t *target) idleLanes() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.idle)
}

// A batch of small requests is one piece, so one write. Large ones are written
// from where they are.
func TestBatchIsOneWrite(t *testing.T) {
	fan := newFanout(t, nil, "http://target/p", "http://target,host=target", "http://target")
	defer drain(t, fan)
	f := func(tg *target, reqs []codec.Request, pieces int) {
		t.Helper()
		l := newLane(tg)
		var want []byte
		var ends []int
		for i := range reqs {
			var p wire.Prepared
			if reject := fan.prepare(&p, &reqs[i]); reject != codec.RejectNone {
				t.Fatal(reject)
			}
			l.batch = []entry{{payload: serialise(fan, &p)}}
			l.encode()
			want = append(want, bytes.Join(l.pieces, nil)...)
			ends = append(ends, len(want))
		}
		l.batch = nil
		for i := range reqs {
			var p wire.Prepared
			fan.prepare(&p, &reqs[i])
			l.batch = append(l.batch, entry{payload: serialise(fan, &p)})
		}
		l.encode()
		if got := bytes.Join(l.pieces, nil); !bytes.Equal(got, want) || !slices.Equal(l.ends, ends) {
			t.Errorf("%s: got %q, ends %v, want %q, ends %v", tg.cfg.Name, got, l.ends, want, ends)
		}
		if len(l.pieces) != pieces {
			t.Errorf("%s: %d pieces, want %d", tg.cfg.Name, len(l.pieces), pieces)
		}
	}
	small := []codec.Request{request("GET", "/a", "", "host", "h"), request("POST", "/b", "body", "x", "y", "host", "h"), request("OPTIONS", "*", "", "host", "h"), request("GET", "/no-host", ""), request("POST", "/", strings.Repeat("b", 1000), "host", "h")}
	large := request("POST", "/large", strings.Repeat("b", referTo), "host", "h")
	for _, tg := range fan.targets {
		f(tg, small, 1)
	}
	f(fan.targets[2], []codec.Request{large}, 1)
	f(fan.targets[2], []codec.Request{small[0], large, small[1], small[2]}, 3)
	f(fan.targets[2], []codec.Request{large, small[3], large}, 3)
	f(fan.targets[0], []codec.Request{large, small[0]}, 3)
}

// A lane takes no more bytes than the sockets hold, lest the target wait for us
// to read while we wait for it to.
func TestBatchIsBoundedInBytes(t *testing.T) {
	const size = maxBatchBytes / 3
	rt := listen(t, func(c *rawConn) { c.serve(ok) })
	f := newFanout(t, nil, rt.url+",conns=1,batch=16")
	var reqs []codec.Request
	for range 10 {
		reqs = append(reqs, request("POST", "/", strings.Repeat("b", size)))
	}
	reqs = append(reqs, request("POST", "/", strings.Repeat("b", 2*maxBatchBytes)), request("POST", "/", ""))
	f.Submit(reqs)
	drain(t, f)
	if got := counts(f.targets[0]); got != "selected=12 sent=12 2xx=12" {
		t.Error(got)
	}
	if got := sample(t, f, "mirrorgate_target_batch_size_count{target=\"t1\"}"); got != "7" {
		t.Errorf("%s batches, want 5 of two, one too large for others, one small", got)
	}
}

// Answers are answers however they are cut into pieces on their way.
func TestAnswersInPieces(t *testing.T) {
	answers := ok +
		"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 404 Not Found\r\nServer: x\r\nContent-Length: 10\r\n\r\n0123456789" +
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\na;x=y\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n" +
		"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n" +
		"HTTP/1.1 304 Not Modified\r\nContent-Length: 999\r\n\r\n"
	for size := 1; size < 100; size++ {
		f := newFanout(t, nil, nobody+",conns=1,batch=5")
		l, theirs := pipeLane(f, "GET /1", "POST /2", "GET /3", "HEAD /4", "GET /5")
		var playing sync.WaitGroup
		playing.Go(func() { io.Copy(io.Discard, theirs) })
		playing.Go(func() {
			for piece := range slices.Chunk([]byte(answers), size) {
				theirs.Write(piece)
			}
		})
		if !l.exchange() {
			t.Errorf("pieces of %d bytes: the connection is not good any more", size)
		}
		theirs.Close()
		playing.Wait()
		if got := counts(f.targets[0]); got != "selected=5 sent=5 2xx=3 3xx=1 4xx=1" {
			t.Errorf("pieces of %d bytes: %s", size, got)
		}
		drain(t, f)
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
