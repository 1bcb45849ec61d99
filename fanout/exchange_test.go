package fanout

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/mirrorgate/mirrorgate/fanout/internal/http1"
)

func list(text string) []string { return strings.Split(text, ", ") }

// TestExchange submits requests at once to a target with one connection and
// checks what the target saw, how it was counted, and on how many connections.
func TestExchange(t *testing.T) {
	f := func(name, options, reqs string, play func(c *rawConn), wantSeen, wantCounts string, wantConns int) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Helper()
			rt := listen(t, play)
			fan := newFanout(t, nil, rt.url+",conns=1,"+options)
			fan.targets[0].hold()
			fan.Submit(requests(list(reqs)...))
			fan.targets[0].letGo()
			drain(t, fan)
			if got := rt.requests(); !slices.Equal(got, list(wantSeen)) {
				t.Errorf("target saw %q, want %q", got, list(wantSeen))
			}
			if got := counts(fan.targets[0]); got != wantCounts {
				t.Errorf("%s, want %s", got, wantCounts)
			}
			if got := rt.connections(); got != wantConns {
				t.Errorf("%d connections, want %d", got, wantConns)
			}
			if got := fan.targets[0].metrics.opened.Get(); got != uint64(wantConns) {
				t.Errorf("%d connections counted, want %d", got, wantConns)
			}
		})
	}
	// answers plays a target that reads as many requests as there are answers,
	// before it answers them, and goes on like that.
	answers := func(answers ...string) func(c *rawConn) {
		return func(c *rawConn) {
			for c.take(len(answers)) {
				c.send(answers...)
			}
		}
	}
	// first plays what is given on the first connection, and answers everything
	// on the others.
	first := func(play func(c *rawConn)) func(c *rawConn) {
		return func(c *rawConn) {
			if c.number > 1 {
				c.serve(ok)
				return
			}
			play(c)
		}
	}
	one := func(answer string) func(c *rawConn) { return func(c *rawConn) { c.serve(answer) } }
	empty := func(status string) string { return "HTTP/1.1 " + status + "\r\nContent-Length: 0\r\n\r\n" }
	const abc = "GET /a, DELETE /b, GET /c"
	const three = "selected=3 sent=3 2xx=3"

	f("keep-alive", "batch=1", abc, one(ok), abc, three, 1)
	f("batch", "batch=3", abc, answers(ok, ok, ok), abc, three, 1)
	f("full batches and a rest", "batch=4", "GET /1, GET /2, GET /3, GET /4, DELETE /5, GET /6, GET /7, GET /8, GET /9",
		func(c *rawConn) {
			for _, n := range []int{4, 4, 1} {
				c.take(n)
				c.send(slices.Repeat([]string{ok}, n)...)
			}
			c.waitEnd()
		},
		"GET /1, GET /2, GET /3, GET /4, DELETE /5, GET /6, GET /7, GET /8, GET /9", "selected=9 sent=9 2xx=9", 1)

	// Every kind of answer leaves the connection where the next one begins.
	kinds := func(name, method, answer, class string) {
		t.Helper()
		reqs := method + " /a, DELETE /b, GET /c"
		f(name, "batch=3", reqs, answers(answer, ok, ok), reqs, strings.Replace(three, "2xx=3", class, 1), 1)
	}
	// heads is kinds for HEAD, which goes alone.
	heads := func(name, answer string) {
		t.Helper()
		f(name, "batch=3", "HEAD /a", one(answer), "HEAD /a", "selected=1 sent=1 2xx=1", 1)
	}
	heads("HEAD with a length", "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n")
	heads("HEAD of something chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
	heads("HEAD without a length", "HTTP/1.1 200 OK\r\n\r\n")
	heads("HEAD, length beyond the limit", "HTTP/1.1 200 OK\r\nContent-Length: 5000000000\r\n\r\n")
	kinds("informational answers first", "GET", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"+ok, "2xx=3")
	kinds("204 with a length", "GET", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", "2xx=3")
	kinds("304 with a length", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "2xx=2 3xx=1")
	kinds("chunked", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\na;x=y\r\n0123456789\r\n0\r\n\r\n", "2xx=3")
	kinds("chunked with trailers", "GET", "HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n", "2xx=3")
	kinds("chunked without data", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "2xx=3")
	kinds("body at the limit", "GET", fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", maxBody, strings.Repeat("b", maxBody)), "2xx=3")
	kinds("chunked body at the limit", "GET", fmt.Sprintf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", maxBody, strings.Repeat("b", maxBody)), "2xx=3")
	kinds("long header section", "GET", "HTTP/1.1 200 OK\r\nX: "+strings.Repeat("x", 60_000)+"\r\nContent-Length: 0\r\n\r\n", "2xx=3")
	kinds("a hundred fields", "GET", "HTTP/1.1 200 OK\r\n"+strings.Repeat("X-Field: some value\r\n", 100)+"Content-Length: 2\r\n\r\nok", "2xx=3")
	kinds("a hundred fields, chunked", "GET", "HTTP/1.1 200 OK\r\n"+strings.Repeat("X-Field: some value\r\n", 100)+"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", "2xx=3")
	kinds("301", "GET", empty("301 Moved"), "2xx=2 3xx=1")
	kinds("404", "GET", empty("404 Not Found"), "2xx=2 4xx=1")
	kinds("503", "GET", empty("503 Unavailable"), "2xx=2 5xx=1")
	kinds("599 without a reason", "GET", empty("599"), "2xx=2 5xx=1")
	kinds("HTTP/1.0 that stays", "GET", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n", "2xx=3")

	// A status of three digits is one, and equal lengths are one (RFC 9110 sections
	// 15 and 8.6).
	kinds("status beyond 599", "GET", empty("999 X"), "2xx=2 other=1")
	kinds("two equal lengths", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok", "2xx=3")

	// A body that HEAD must not have is no response to what comes next, however late
	// it is.
	f("HEAD with a body", "batch=1", "HEAD /a, POST /b 1", first(func(c *rawConn) {
		c.take(1)
		c.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
		c.waitEnd()
	}), "HEAD /a, POST /b 1", "selected=2 sent=2 2xx=2", 2)
	f("HEAD with a body in a packet of its own", "batch=1", "HEAD /a, POST /b 1", first(func(c *rawConn) {
		c.take(1)
		c.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
		c.send("hello")
		c.waitEnd()
	}), "HEAD /a, POST /b 1", "selected=2 sent=2 2xx=2", 2)

	// What stands behind an answer that closes was not processed, so it is sent
	// again, whatever its method, and each alone.
	closing := func(name, answer, class string) {
		t.Helper()
		f(name, "batch=4", "GET /a, DELETE /b, GET /c, DELETE /d", first(func(c *rawConn) {
			c.take(4)
			c.send(ok, answer)
		}), "GET /a, DELETE /b, GET /c, DELETE /d, GET /c, DELETE /d", "selected=4 sent=4 "+class, 3)
	}
	closing("close in the middle of a batch", okClose, "2xx=4")
	closing("close among other tokens", "HTTP/1.1 200 OK\r\nconnection: Foo , CLOSE\r\nContent-Length: 0\r\n\r\n", "2xx=4")
	closing("HTTP/1.0 closes", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", "2xx=4")
	closing("body until the end closes", "HTTP/1.1 200 OK\r\n\r\nall that comes", "2xx=4")
	closing("101 closes", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "1xx=1 2xx=3")
	f("close twice", "batch=2", "GET /a, DELETE /b", func(c *rawConn) {
		c.take(1)
		c.send(okClose)
	}, "GET /a, DELETE /b", "selected=2 sent=2 2xx=2", 2)
	f("sent again once only", "batch=2", "GET /a, GET /b", func(c *rawConn) {
		if c.number == 1 {
			c.take(2)
			c.send(okClose)
		} else {
			c.take(1)
		}
	}, "GET /a, GET /b, GET /b", "selected=2 sent=2 2xx=1 reset=1", 2)

	// A connection that breaks unannounced: idempotent requests go out once
	// more, others never.
	f("broken before any answer", "batch=3", abc, first(func(c *rawConn) { c.take(3) }), abc+", GET /a, DELETE /b, GET /c", three, 4)
	f("broken before the answer to a POST", "batch=3", "POST /a 1, GET /b", first(func(c *rawConn) { c.take(1) }), "POST /a 1, GET /b", "selected=2 sent=2 2xx=1 reset=1", 2)
	f("broken after an answer", "batch=3", "DELETE /a, DELETE /b, DELETE /c", first(func(c *rawConn) {
		c.take(3)
		c.send(ok)
	}), "DELETE /a, DELETE /b, DELETE /c, DELETE /b, DELETE /c", three, 3)
	f("broken twice", "batch=2", "GET /a", func(c *rawConn) { c.take(1) }, "GET /a, GET /a", "selected=1 sent=1 reset=1", 2)
	f("broken in the header section", "batch=2", "GET /a, DELETE /b", first(func(c *rawConn) {
		c.take(2)
		c.send("HTTP/1.1 200 OK\r\nConte")
	}), "GET /a, DELETE /b, GET /a, DELETE /b", "selected=2 sent=2 2xx=2", 3)
	f("broken after an informational answer", "batch=1", "GET /a", first(func(c *rawConn) {
		c.take(1)
		c.send("HTTP/1.1 103 Early Hints\r\n\r\n")
	}), "GET /a, GET /a", "selected=1 sent=1 2xx=1", 2)
	// A status that arrived counts, however the body goes on.
	f("broken in a body", "batch=2", "GET /a, GET /b", first(func(c *rawConn) {
		c.take(2)
		c.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
	}), "GET /a, GET /b, GET /b", "selected=2 sent=2 2xx=2", 2)
	f("broken in a chunk", "batch=1", "GET /a", func(c *rawConn) {
		c.take(1)
		c.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe")
	}, "GET /a", "selected=1 sent=1 2xx=1", 1)
	f("a body that does not end in time", "batch=2,timeout=200ms", "GET /a, GET /b", first(func(c *rawConn) {
		c.take(2)
		c.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
		c.waitEnd()
	}), "GET /a, GET /b, GET /b", "selected=2 sent=2 2xx=2", 2)
	// Its place is needed, so it does not last for the time limit.
	f("events without end", "batch=1,timeout=1h", "GET /a, POST /b 1", first(func(c *rawConn) {
		c.take(1)
		c.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
		c.waitEnd()
	}), "GET /a, POST /b 1", "selected=2 sent=2 2xx=2", 2)

	// What is no answer ends the connection.
	garbage := func(name, answer string) {
		t.Helper()
		f("garbage: "+name, "batch=3", abc, first(func(c *rawConn) {
			c.take(3)
			c.send(answer)
			c.waitEnd()
		}), abc+", DELETE /b, GET /c", "selected=3 sent=3 2xx=2 protocol=1", 3)
	}
	garbage("no HTTP", "SSH-2.0-OpenSSH_9.2\r\n\r\n")
	garbage("status of four digits", "HTTP/1.1 2000 OK\r\n\r\n")
	garbage("status below 100", "HTTP/1.1 099 X\r\nContent-Length: 0\r\n\r\n")
	garbage("two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n")
	garbage("length that is none", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n")
	garbage("chunk that is none", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n")
	garbage("header section without end", "HTTP/1.1 200 OK\r\nX: "+strings.Repeat("x", http1.MaxHead)+"\r\n\r\n")

	// Bytes that nobody asked for, behind the last answer.
	f("bytes behind the last answer", "batch=1", "GET /a, POST /b 1", first(func(c *rawConn) {
		c.take(1)
		c.send(ok + ok)
		c.waitEnd()
	}), "GET /a, POST /b 1", "selected=2 sent=2 2xx=2", 2)

	// A body that nobody keeps is read away as long as requests stand behind it,
	// else up to a limit; the response counts all the same.
	f("large body in a batch", "batch=3", abc, answers(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", 3*maxBody, strings.Repeat("b", 3*maxBody)), ok, ok), abc, three, 1)
	large := func(name, head, more string) {
		t.Helper()
		f(name, "batch=1", "GET /a, POST /b 1", first(func(c *rawConn) {
			c.take(1)
			c.send(head)
			for {
				if _, err := io.WriteString(c, more); err != nil {
					return
				}
			}
		}), "GET /a, POST /b 1", "selected=2 sent=2 2xx=2", 2)
	}
	large("body beyond the limit", fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", 100*maxBody), strings.Repeat("b", 1000))
	large("chunks without end", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "400\r\n"+strings.Repeat("b", 1024)+"\r\n")
	large("chunk extensions without end", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", strings.Repeat("x", 1024))
	large("trailers without end", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", strings.Repeat("x: y\r\n", 100))
	large("identity body without end", "HTTP/1.1 200 OK\r\n\r\n", strings.Repeat("b", 1000))

	f("no answer in time on the next connection", "batch=1,timeout=500ms", "GET /a, GET /b", func(c *rawConn) {
		c.take(1)
		if c.number == 1 {
			c.send(okClose)
			return
		}
		c.waitEnd()
	}, "GET /a, GET /b", "selected=2 sent=2 2xx=1 timeout=1", 2)
	// Only what was not answered in time is a time-out; what stood behind it goes
	// back once.
	f("no answer in time", "batch=3,timeout=100ms", abc, first(func(c *rawConn) {
		c.take(3)
		c.waitEnd()
	}), abc+", DELETE /b, GET /c", "selected=3 sent=3 2xx=2 timeout=1", 3)
}
