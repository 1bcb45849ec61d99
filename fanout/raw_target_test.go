package fanout

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	ok      = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	okClose = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
)

// rawTarget is a target that a test plays itself, byte for byte.
type rawTarget struct {
	t   testing.TB
	url string

	mu    sync.Mutex
	conns []net.Conn
	seen  []string
}

// rawConn is one connection of a rawTarget.
type rawConn struct {
	net.Conn
	in     *bufio.Reader
	to     *rawTarget
	number int // of the connection, from 1
}

// listen starts a target on loopback. play has each connection to itself; the
// connection is closed when it returns.
func listen(t testing.TB, play func(c *rawConn)) *rawTarget {
	t.Helper()
	return listenOn(t, "127.0.0.1:0", play)
}

// listenOn is listen at another address.
func listenOn(t testing.TB, addr string, play func(c *rawConn)) *rawTarget {
	t.Helper()
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	rt := &rawTarget{t: t, url: "http://" + ln.Addr().String()}
	var playing sync.WaitGroup
	playing.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			rt.mu.Lock()
			rt.conns = append(rt.conns, conn)
			c := &rawConn{Conn: conn, in: bufio.NewReader(conn), to: rt, number: len(rt.conns)}
			rt.mu.Unlock()
			playing.Go(func() {
				defer conn.Close()
				play(c)
			})
		}
	})
	t.Cleanup(func() {
		ln.Close()
		rt.mu.Lock()
		for _, conn := range rt.conns {
			conn.Close()
		}
		rt.mu.Unlock()
		playing.Wait()
	})
	return rt
}

// connections returns how many there were.
func (rt *rawTarget) connections() int {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	return len(rt.conns)
}

// requests returns what was read on all connections, in order of arrival.
func (rt *rawTarget) requests() []string {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	return append([]string(nil), rt.seen...)
}

// next reads a request and returns it as "POST /path body", or "" at the end of
// the connection.
func (c *rawConn) next() string {
	r, err := http.ReadRequest(c.in)
	if err != nil {
		return ""
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return ""
	}
	seen := r.Method + " " + r.RequestURI
	if len(body) > 0 {
		seen += " " + string(body)
	}
	c.to.mu.Lock()
	c.to.seen = append(c.to.seen, seen)
	c.to.mu.Unlock()
	return seen
}

// take reads n requests and reports whether all of them came.
func (c *rawConn) take(n int) bool {
	for range n {
		if c.next() == "" {
			return false
		}
	}
	return true
}

func (c *rawConn) send(answers ...string) {
	for _, answer := range answers {
		io.WriteString(c, answer)
	}
}

// serve answers each request with answer until the connection ends.
func (c *rawConn) serve(answer string) {
	for c.next() != "" {
		c.send(answer)
	}
}

// waitEnd reads until the other side has closed.
func (c *rawConn) waitEnd() { io.Copy(io.Discard, c.in) }

// eventually waits for a condition.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !condition(); {
		if time.Now().After(deadline) {
			t.Fatalf("still waiting: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

// counts returns the counters of a target that are not zero, like
// "selected=3 dropped{stale}=1 sent=2 2xx=1 reset=1".
func counts(tg *target) string {
	text := ""
	add := func(name string, n uint64) {
		if n > 0 {
			text += fmt.Sprintf(" %s=%d", name, n)
		}
	}
	m := tg.metrics
	add("selected", m.selected.Get())
	for r := dropNone + 1; r < dropReasons; r++ {
		add("dropped{"+r.String()+"}", m.dropped[r].Get())
	}
	add("sent", m.sent.Get())
	for i, c := range m.responses {
		add(className(i), c.Get())
	}
	for k := range errorKinds {
		add(k.String(), m.errors[k].Get())
	}
	if text == "" {
		return ""
	}
	return text[1:]
}

// answered returns how many requests got an answer.
func answered(tg *target) (n uint64) {
	for _, c := range tg.metrics.responses {
		n += c.Get()
	}
	return n
}

// hold keeps the workers of t from taking, so that what is submitted stays
// queued.
func (t *target) hold() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.open += t.cfg.Conns
}

// letGo undoes hold.
func (t *target) letGo() {
	t.mu.Lock()
	t.open -= t.cfg.Conns
	w := t.wakeSleeper(t.now())
	t.mu.Unlock()
	w.rouse()
}

// idleConns returns how many connections are idle.
func (t *target) idleConns() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.idle)
}

// inFlight returns how many requests workers have.
func (t *target) inFlight() int64 { return int64(t.metrics.inFlight()) }

// answerQueued plays a worker whose requests are all answered: it takes up to n of
// those that wait, and returns them.
func (t *target) answerQueued(n int) (taken []entry) {
	var r results
	t.mu.Lock()
	for ; n > 0 && t.queue.n > 0; n-- {
		taken = append(taken, t.queue.popFront())
	}
	t.served += uint64(len(taken))
	t.length.Store(int64(t.queue.n))
	t.mu.Unlock()
	for _, e := range taken {
		r.responses[1]++
		r.end(&e)
	}
	t.settle(&r)
	return taken
}

// queued returns the requests in the queue, oldest first.
func (t *target) queued() (entries []*entry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for b := t.queue.head; b != nil; b = b.next {
		for i := b.begin; i < b.end; i++ {
			entries = append(entries, &b.entries[i])
		}
	}
	return entries
}
