package fanout

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
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
			fan.Submit(requests(list(reqs)...))
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
	const abc = "GET /a, POST /b 1, GET /c"
	const three = "selected=3 sent=3 2xx=3"

	f("keep-alive", "batch=1", abc, one(ok), abc, three, 1)
	f("batch", "batch=3", abc, answers(ok, ok, ok), abc, three, 1)
	f("full batches and a rest", "batch=4", "GET /1, GET /2, GET /3, GET /4, POST /5, GET /6, GET /7, GET /8, GET /9",
		func(c *rawConn) {
			for _, n := range []int{4, 4, 1} {
				c.take(n)
				c.send(slices.Repeat([]string{ok}, n)...)
			}
			c.waitEnd()
		},
		"GET /1, GET /2, GET /3, GET /4, POST /5, GET /6, GET /7, GET /8, GET /9", "selected=9 sent=9 2xx=9", 1)

	// Every kind of answer leaves the connection where the next one begins.
	kinds := func(name, method, answer, class string) {
		t.Helper()
		f(name, "batch=3", method+" /a, POST /b 1, GET /c", answers(answer, ok, ok), method+" /a, POST /b 1, GET /c",
			strings.Replace(three, "2xx=3", class, 1), 1)
	}
	kinds("HEAD with a length", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", "2xx=3")
	kinds("HEAD of something chunked", "HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "2xx=3")
	kinds("HEAD without a length", "HEAD", "HTTP/1.1 200 OK\r\n\r\n", "2xx=3")
	kinds("HEAD, length beyond the limit", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5000000000\r\n\r\n", "2xx=3")
	kinds("informational answers first", "POST", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"+ok, "2xx=3")
	kinds("204 with a length", "GET", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", "2xx=3")
	kinds("304 with a length", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "2xx=2 3xx=1")
	kinds("chunked", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\na;x=y\r\n0123456789\r\n0\r\n\r\n", "2xx=3")
	kinds("chunked with trailers", "GET", "HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n", "2xx=3")
	kinds("chunked without data", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "2xx=3")
	kinds("body at the limit", "GET", fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", maxAnswer, strings.Repeat("b", maxAnswer)), "2xx=3")
	kinds("chunked body at the limit", "GET", fmt.Sprintf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", maxAnswer, strings.Repeat("b", maxAnswer)), "2xx=3")
	kinds("long header section", "GET", "HTTP/1.1 200 OK\r\nX: "+strings.Repeat("x", 60_000)+"\r\nContent-Length: 0\r\n\r\n", "2xx=3")
	kinds("a hundred fields", "GET", "HTTP/1.1 200 OK\r\n"+strings.Repeat("X-Field: some value\r\n", 100)+"Content-Length: 2\r\n\r\nok", "2xx=3")
	kinds("a hundred fields, chunked", "GET", "HTTP/1.1 200 OK\r\n"+strings.Repeat("X-Field: some value\r\n", 100)+"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", "2xx=3")
	kinds("301", "GET", empty("301 Moved"), "2xx=2 3xx=1")
	kinds("404", "GET", empty("404 Not Found"), "2xx=2 4xx=1")
	kinds("503", "GET", empty("503 Unavailable"), "2xx=2 5xx=1")
	kinds("599 without a reason", "GET", empty("599"), "2xx=2 5xx=1")
	kinds("HTTP/1.0 that stays", "GET", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n", "2xx=3")

	// It cannot be known whether the connection stays, so it is not relied on.
	f("HEAD without a length at the end", "batch=1", "HEAD /a, POST /b 1", first(func(c *rawConn) {
		c.take(1)
		c.send("HTTP/1.1 200 OK\r\n\r\n")
		c.waitEnd()
	}), "HEAD /a, POST /b 1", "selected=2 sent=2 2xx=2", 2)
	// If it says that it closes, what is behind was not processed; if it does not,
	// or nobody can tell, it may have been.
	closingHead := func(name, answer, wantSeen, want string) {
		t.Helper()
		f("HEAD without a length that closes"+name, "batch=3", "HEAD /a, POST /b 1, GET /c", first(func(c *rawConn) {
			c.take(3)
			c.send(answer)
		}), "HEAD /a, POST /b 1, GET /c, "+wantSeen, "selected=3 sent=3 "+want, 2)
	}
	closingHead("", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", "POST /b 1, GET /c", "2xx=3")
	closingHead(", among other tokens", "HTTP/1.1 200 OK\r\nX: y\r\nconnection:foo , CLOSE\r\n\r\n", "POST /b 1, GET /c", "2xx=3")
	closingHead(" unannounced", "HTTP/1.1 200 OK\r\nX-Connection: close\r\n\r\n", "GET /c", "2xx=2 reset=1")
	closingHead(" behind an interim answer", "HTTP/1.1 103 Early Hints\r\nConnection: close\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", "GET /c", "2xx=2 reset=1")

	// A body that HEAD must not have is no answer to what comes next.
	f("HEAD with a body", "batch=1", "HEAD /a, POST /b 1", first(func(c *rawConn) {
		c.take(1)
		c.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
		c.waitEnd()
	}), "HEAD /a, POST /b 1", "selected=2 sent=2 2xx=2", 2)
	f("HEAD with a body in a batch", "batch=3", "HEAD /a, POST /b 1, GET /c", first(func(c *rawConn) {
		c.take(3)
		c.send("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nhello\r\n"+ok, ok)
		c.waitEnd()
	}), "HEAD /a, POST /b 1, GET /c, GET /c", "selected=3 sent=3 2xx=2 protocol=1", 2)

	// What stands behind an answer that closes was not processed, so it is sent
	// again, whatever its method, and each alone.
	closing := func(name, answer, class string) {
		t.Helper()
		f(name, "batch=4", "GET /a, POST /b 1, GET /c, POST /d 2", first(func(c *rawConn) {
			c.take(4)
			c.send(ok, answer)
		}), "GET /a, POST /b 1, GET /c, POST /d 2, GET /c, POST /d 2", "selected=4 sent=4 "+class, 2)
	}
	closing("close in the middle of a batch", okClose, "2xx=4")
	closing("close among other tokens", "HTTP/1.1 200 OK\r\nconnection: Foo , CLOSE\r\nContent-Length: 0\r\n\r\n", "2xx=4")
	closing("HTTP/1.0 closes", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", "2xx=4")
	closing("body until the end closes", "HTTP/1.1 200 OK\r\n\r\nall that comes", "2xx=4")
	closing("101 closes", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "1xx=1 2xx=3")
	f("close twice", "batch=2", "GET /a, POST /b 1", func(c *rawConn) {
		c.take(1)
		c.send(okClose)
	}, "GET /a, POST /b 1", "selected=2 sent=2 2xx=2", 2)
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
	f("broken before any answer", "batch=3", abc, first(func(c *rawConn) { c.take(3) }), abc+", GET /a, GET /c", "selected=3 sent=3 2xx=2 reset=1", 2)
	f("broken after an answer", "batch=3", "POST /a 1, PUT /b 2, PATCH /c 3", first(func(c *rawConn) {
		c.take(3)
		c.send(ok)
	}), "POST /a 1, PUT /b 2, PATCH /c 3, PUT /b 2", "selected=3 sent=3 2xx=2 reset=1", 2)
	f("broken twice", "batch=2", "GET /a, POST /b 1", func(c *rawConn) { c.take(3 - c.number) }, "GET /a, POST /b 1, GET /a", "selected=2 sent=2 reset=2", 2)
	f("broken in the header section", "batch=2", "GET /a, POST /b 1", first(func(c *rawConn) {
		c.take(2)
		c.send("HTTP/1.1 200 OK\r\nConte")
	}), "GET /a, POST /b 1, GET /a", "selected=2 sent=2 2xx=1 reset=1", 2)
	f("broken after an informational answer", "batch=1", "GET /a", first(func(c *rawConn) {
		c.take(1)
		c.send("HTTP/1.1 103 Early Hints\r\n\r\n")
	}), "GET /a, GET /a", "selected=1 sent=1 2xx=1", 2)
	// Once an answer has begun, its request was processed.
	f("broken in a body", "batch=2", "GET /a, GET /b", first(func(c *rawConn) {
		c.take(2)
		c.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
	}), "GET /a, GET /b, GET /b", "selected=2 sent=2 2xx=1 reset=1", 2)
	f("broken in a chunk", "batch=1", "GET /a", func(c *rawConn) {
		c.take(1)
		c.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe")
	}, "GET /a", "selected=1 sent=1 reset=1", 1)
	f("broken between chunks", "batch=1", "GET /a", func(c *rawConn) {
		c.take(1)
		c.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
	}, "GET /a", "selected=1 sent=1 reset=1", 1)

	// What is no answer ends the connection.
	garbage := func(name, answer string) {
		t.Helper()
		f("garbage: "+name, "batch=3", abc, first(func(c *rawConn) {
			c.take(3)
			c.send(answer)
			c.waitEnd()
		}), abc+", GET /c", "selected=3 sent=3 2xx=1 reset=1 protocol=1", 2)
	}
	garbage("no HTTP", "SSH-2.0-OpenSSH_9.2\r\n\r\n")
	garbage("status of four digits", "HTTP/1.1 2000 OK\r\n\r\n")
	garbage("status beyond 599", "HTTP/1.1 600 X\r\nContent-Length: 0\r\n\r\n")
	garbage("status below 100", "HTTP/1.1 099 X\r\nContent-Length: 0\r\n\r\n")
	garbage("two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n")
	garbage("length that is none", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n")
	garbage("chunk that is none", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n")
	garbage("header section without end", "HTTP/1.1 200 OK\r\nX: "+strings.Repeat("x", readBuffer)+"\r\n\r\n")

	// Bytes that nobody asked for, behind the last answer.
	f("bytes behind the last answer", "batch=1", "GET /a, POST /b 1", first(func(c *rawConn) {
		c.take(1)
		c.send(ok + ok)
		c.waitEnd()
	}), "GET /a, POST /b 1", "selected=2 sent=2 2xx=2", 2)

	// A body beyond the limit is not read to its end; the answer counts.
	large := func(name, head, more string) {
		t.Helper()
		f(name, "batch=3", abc, first(func(c *rawConn) {
			c.take(3)
			c.send(head)
			for {
				if _, err := io.WriteString(c, more); err != nil {
					return
				}
			}
		}), abc+", GET /c", "selected=3 sent=3 2xx=2 reset=1", 2)
	}
	large("body beyond the limit", fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", maxAnswer+1), strings.Repeat("b", 1000))
	large("chunks without end", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "400\r\n"+strings.Repeat("b", 1024)+"\r\n")
	f("identity body without end", "batch=1", "GET /a", func(c *rawConn) {
		c.take(1)
		c.send("HTTP/1.1 200 OK\r\n\r\n")
		for {
			if _, err := c.Write(make([]byte, 1000)); err != nil {
				return
			}
		}
	}, "GET /a", "selected=1 sent=1 2xx=1", 1)

	f("no answer in time on the next connection", "batch=1,timeout=500ms", "GET /a, GET /b", func(c *rawConn) {
		c.take(1)
		if c.number == 1 {
			c.send(okClose)
			return
		}
		c.waitEnd()
	}, "GET /a, GET /b", "selected=2 sent=2 2xx=1 timeout=1", 2)
	f("no answer in time", "batch=3,timeout=100ms", abc, func(c *rawConn) {
		c.take(3)
		c.waitEnd()
	}, abc, "selected=3 sent=3 timeout=3", 1)
}
