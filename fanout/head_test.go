package fanout

import (
	"testing"
)

// Behind the response to a HEAD a connection rests, and once a target has sent
// bytes there, its connections are closed behind each HEAD.
func TestBehindAHead(t *testing.T) {
	f := func(what string, play func(c *rawConn), wantConns int, wantWarned int) {
		t.Helper()
		rt := listen(t, play)
		var out lockedBuffer
		fan := newFanout(t, logged(&out), rt.url+",conns=1")
		tg := fan.targets[0]
		for i, r := range []string{"HEAD /1", "POST /2", "HEAD /3", "POST /4"} {
			fan.Submit(requests(r))
			eventually(t, what, func() bool { return answered(tg) == uint64(i+1) })
		}
		drain(t, fan)
		if got := counts(tg); got != "selected=4 sent=4 2xx=4" {
			t.Errorf("%s: %s", what, got)
		}
		if n := rt.connections(); n != wantConns {
			t.Errorf("%s: %d connections, want %d", what, n, wantConns)
		}
		checkLog(t, &out, map[string]int{"sends bodies in response to HEAD": wantWarned})
	}
	const length = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
	heads := func(answer ...string) func(c *rawConn) {
		return func(c *rawConn) {
			for seen := c.next(); seen != ""; seen = c.next() {
				if seen[:4] != "HEAD" {
					c.send(ok)
					continue
				}
				for _, piece := range answer {
					c.send(piece)
				}
			}
		}
	}
	f("with a body", heads(length+"hello"), 3, 1)
	f("with a body in a packet of its own", heads(length, "hello"), 3, 1)
}

// A connection that rests is used when its time is over, and waited for if there
// may be no other.
func TestRestingConnections(t *testing.T) {
	f := newFanout(t, nil, nobody+",conns=2")
	defer drain(t, f)
	tg := f.targets[0]
	tg.mu.Lock()
	defer tg.mu.Unlock()
	ready, resting, later := &conn{t: tg}, &conn{t: tg, restUntil: 50}, &conn{t: tg, restUntil: 60}
	tg.putIdle([]*conn{ready, resting}, 10)
	tg.putIdle([]*conn{later}, 20)
	pop := func(now int64, want *conn) {
		t.Helper()
		if c := tg.popIdle(now); c != want {
			t.Errorf("at %d: %p, want %p", now, c, want)
		}
	}
	pop(40, ready)
	pop(40, nil)
	pop(50, resting)
	pop(59, nil)
	tg.open = 2
	tg.queue.pushBack(entry{})
	if wait := tg.restTime(45); wait != 15 {
		t.Errorf("a worker waits for %d, want 15", wait)
	}
	tg.open = 1
	if wait := tg.restTime(45); wait != 0 {
		t.Errorf("a worker waits for %d though another connection may be opened", wait)
	}
	tg.queue.popFront()
	tg.idle, tg.open = nil, 0
}
