package fanout

import (
	"io"
	"net"
	"testing"
	"time"
)

// While a connection is idle nothing reads it, so what came meanwhile is looked
// for before it is used again, however short it was idle: no POST is lost to it,
// and no response is taken for that to another request.
func TestIdleConnectionIsChecked(t *testing.T) {
	f := func(what string, end func(c *rawConn)) {
		t.Helper()
		ends := make(chan struct{})
		rt := listen(t, func(c *rawConn) {
			if c.number == 1 {
				c.take(1)
				c.send(ok)
				<-ends
				end(c)
			}
			c.serve(ok)
		})
		fan := newFanout(t, nil, rt.url+",conns=1")
		tg := fan.targets[0]
		fan.Submit(requests("POST /a 1"))
		eventually(t, "an idle connection", func() bool { return tg.idleConns() == 1 })
		close(ends)
		tg.mu.Lock()
		s := tg.idle[0].socket
		tg.mu.Unlock()
		eventually(t, what+" to arrive", func() bool { return quiet([]*socket{s}, nil)[0].Revents != 0 })
		fan.Submit(requests("POST /b 2"))
		drain(t, fan)
		if got := counts(tg); got != "selected=2 sent=2 2xx=2" {
			t.Errorf("%s: %s", what, got)
		}
		if n := rt.connections(); n != 2 {
			t.Errorf("%s: %d connections, want 2", what, n)
		}
	}
	f("the end", func(c *rawConn) { c.Close() })
	f("a reset", func(c *rawConn) {
		c.Conn.(*net.TCPConn).SetLinger(0)
		c.Close()
	})
	f("an answer that nobody asked for", func(c *rawConn) { c.send("HTTP/1.1 408 Request Timeout\r\n\r\n") })
}

// An idle connection that is fine is used again.
func TestIdleConnectionIsUsedAgain(t *testing.T) {
	rt := listen(t, func(c *rawConn) { c.serve(ok) })
	f := newFanout(t, nil, rt.url+",conns=1")
	tg := f.targets[0]
	for i := range 3 {
		f.Submit(requests("POST /a 1"))
		eventually(t, "an idle connection", func() bool { return answered(tg) == uint64(i+1) && tg.idleConns() == 1 })
		tg.mu.Lock()
		c := tg.idle[0]
		c.socket.SetDeadline(time.Now().Add(-time.Second)) // idle for longer than --timeout
		c.readBy = 1
		tg.mu.Unlock()
	}
	drain(t, f)
	if got := counts(tg); got != "selected=3 sent=3 2xx=3" || rt.connections() != 1 {
		t.Errorf("%s on %d connections", got, rt.connections())
	}
}

// Connections that had no work for long end.
func TestIdleConnectionsEnd(t *testing.T) {
	const conns = 3
	all := make(chan struct{}, conns)
	answer := make(chan struct{})
	rt := listen(t, func(c *rawConn) {
		c.take(1)
		all <- struct{}{}
		<-answer
		c.send(ok)
		c.serve(ok)
	})
	f := newFanout(t, nil, rt.url+",conns=3")
	tg := f.targets[0]
	f.Submit(requests("GET /1", "GET /2", "GET /3"))
	for range conns {
		<-all
	}
	close(answer)
	eventually(t, "all connections to be idle", func() bool { return tg.idleConns() == conns })
	tg.mu.Lock()
	now := f.now()
	for i, c := range tg.idle {
		c.idleSince = now - int64(i)*1e9
	}
	tg.mu.Unlock()

	check := func(at int64, idle int) {
		t.Helper()
		tg.tick(at)
		tg.mu.Lock()
		defer tg.mu.Unlock()
		if tg.open != idle || len(tg.idle) != idle || tg.client.ConnsCount() != idle {
			t.Errorf("%d open, %d idle, %d in the pool, want %d", tg.open, len(tg.idle), tg.client.ConnsCount(), idle)
		}
	}
	check(now+idleTime-2e9, 3)
	check(now+idleTime-2e9+1, 2)
	check(now+idleTime+1, 0)

	f.Submit(requests("GET /4"))
	drain(t, f)
	if got := counts(tg); got != "selected=4 sent=4 2xx=4" {
		t.Error(got)
	}
}

func TestQuiet(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	f := func(what string, do func(peer net.Conn), want bool) {
		t.Helper()
		conn := dialSocket(t, ln)
		defer conn.Close()
		peer, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer peer.Close()
		do(peer)
		isQuiet := func() bool { return quiet([]*socket{conn}, nil)[0].Revents == 0 }
		if want != isQuiet() {
			eventually(t, what, func() bool { return isQuiet() == want })
		}
	}
	f("nothing", func(net.Conn) {}, true)
	f("a byte", func(peer net.Conn) { io.WriteString(peer, "x") }, false)
	f("the end", func(peer net.Conn) { peer.Close() }, false)
}

// dialSocket connects to ln.
func dialSocket(t *testing.T, ln net.Listener) *socket {
	t.Helper()
	nc, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s, err := newSocket(&common{options: &Config{}, start: time.Now()}, nc.(*net.TCPConn), func() bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	s.waits = false
	return s
}
