package fanout

import (
	"fmt"
	"io"
	"net"
	"testing"
	"time"
)

// While a connection is idle nothing reads it, so an end that came meanwhile
// is looked for before it is used again: a POST is not lost to it.
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
		eventually(t, "an idle lane", func() bool { return tg.idleLanes() == 1 })
		close(ends)
		l := tg.idle[0]
		eventually(t, what+" to arrive", func() bool { return !quiet(l.socket) })
		tg.mu.Lock()
		l.idleSince -= 2 * idleCheck
		tg.mu.Unlock()
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
		eventually(t, "an idle lane", func() bool { return answered(tg) == uint64(i+1) && tg.idleLanes() == 1 })
		tg.mu.Lock()
		l := tg.idle[0]
		l.idleSince -= 2 * idleCheck
		l.socket.SetDeadline(time.Now().Add(-time.Second)) // idle for longer than --timeout
		l.readBy, l.writeBy = 1, 1
		tg.mu.Unlock()
	}
	drain(t, f)
	if got := counts(tg); got != "selected=3 sent=3 2xx=3" || rt.connections() != 1 {
		t.Errorf("%s on %d connections", got, rt.connections())
	}
}

// Lanes that had no work for long end, and their connections with them.
func TestIdleLanesEnd(t *testing.T) {
	const lanes = 3
	all := make(chan struct{}, lanes)
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
	for range lanes {
		<-all
	}
	close(answer)
	eventually(t, "all lanes to be idle", func() bool { return tg.idleLanes() == lanes })
	tg.mu.Lock()
	now := f.now()
	for i, l := range tg.idle {
		l.idleSince = now - int64(i)*1e9
	}
	// The list is in order of idleness, the longest first.
	tg.idle[0], tg.idle[2] = tg.idle[2], tg.idle[0]
	tg.mu.Unlock()

	check := func(at int64, idle int) {
		t.Helper()
		tg.tick(at)
		eventually(t, fmt.Sprintf("%d lanes", idle), func() bool {
			tg.mu.Lock()
			defer tg.mu.Unlock()
			return tg.lanes == idle && len(tg.idle) == idle && tg.client.ConnsCount() == idle
		})
	}
	check(now+idleLane-2e9, 3)
	check(now+idleLane-2e9+1, 2)
	check(now+idleLane+1, 0)

	f.Submit(requests("GET /4"))
	drain(t, f)
	if got := counts(tg); got != "selected=4 sent=4 2xx=4" {
		t.Error(got)
	}
}

// Work that came while a lane was about to end is not left behind.
func TestLaneLeavesNoWork(t *testing.T) {
	f := newFanout(t, nil, nobody+",conns=2")
	tg := f.targets[0]
	tg.hold()
	l := newLane(tg)
	f.Submit(requests("GET /"))
	if l.leave() || tg.lanes != 2 {
		t.Errorf("a lane left work behind, %d lanes", tg.lanes)
	}
	l.take()
	if !l.leave() || tg.lanes != 1 {
		t.Errorf("a lane without work did not leave, %d lanes", tg.lanes)
	}
	l.dropBatch(dropDial)
	tg.letGo()
	drain(t, f)
}

func TestQuiet(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	f := func(what string, do func(peer net.Conn), want bool) {
		t.Helper()
		conn, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		peer, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer peer.Close()
		do(peer)
		if want != quiet(conn.(*net.TCPConn)) {
			eventually(t, what, func() bool { return quiet(conn.(*net.TCPConn)) == want })
		}
	}
	f("nothing", func(net.Conn) {}, true)
	f("a byte", func(peer net.Conn) { io.WriteString(peer, "x") }, false)
	f("the end", func(peer net.Conn) { peer.Close() }, false)

	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	peer, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	// That the time for the last answer is over says nothing about the connection.
	conn.SetReadDeadline(time.Now().Add(-time.Second))
	if !quiet(conn.(*net.TCPConn)) {
		t.Error("a good connection is not quiet once its deadline has passed")
	}
	conn.Close()
	if quiet(conn.(*net.TCPConn)) {
		t.Error("a closed connection is quiet")
	}
}
