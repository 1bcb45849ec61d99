package fanout

import (
	"fmt"
	"slices"
	"testing"
)

// A fast target gets full batches from few workers over few connections; one that
// is slow gets a connection for each request, from few workers as well.
func TestWorkersFollowThePace(t *testing.T) {
	const limit = 16
	f := newFanout(t, nil, nobody+",batch=16,conns=64")
	tg := f.targets[0]
	eventually(t, "the worker to sleep", func() bool {
		tg.mu.Lock()
		defer tg.mu.Unlock()
		return len(tg.sleepers) == 1
	})
	// check asserts whether one more worker is wanted, and how many requests go
	// on one connection, when so many are queued.
	check := func(what string, queued int, edit func(), wanted bool, share int) {
		t.Helper()
		tg.hold()
		f.Submit(requests(slices.Repeat([]string{"GET /"}, queued)...))
		tg.mu.Lock()
		defer tg.mu.Unlock()
		tg.dialing = 0
		tg.open, tg.awake, tg.looking, tg.taken, tg.pace = 0, 0, 0, f.now(), pace{now: ms / 10}
		edit()
		if got := tg.wantsWorker(f.now()); got != wanted {
			t.Errorf("%s: one more worker is wanted: %v", what, got)
		}
		if got := newWorker(tg).share(); got != share {
			t.Errorf("%s: %d requests on a connection, want %d", what, got, share)
		}
		var r results
		for tg.queue.n > 0 {
			e := tg.queue.popFront()
			r.drop(&e, dropShutdown)
		}
		tg.settle(&r)
		tg.open, tg.awake, tg.looking = 0, 0, 0
		tg.length.Store(0)
	}
	awake := func(awake, looking int) func() { return func() { tg.awake, tg.looking = awake, looking } }
	check("no work", 0, awake(0, 0), false, limit)
	check("all sleep", 10, awake(0, 0), true, limit)
	check("all sleep, but no connection can be had", 10, func() { tg.open = 64 }, false, limit)
	check("all sleep, and one may not be opened yet", 10, func() { tg.open, tg.dialing = 1, 1 }, false, limit)
	check("one works, less than a turn waits", limit-1, awake(1, 0), false, limit)
	check("one works, a turn waits", limit, awake(1, 0), cores > 1, limit)
	check("one has yet to look", limit, awake(1, 1), false, limit)
	check("one has yet to look, two turns wait", 2*limit, awake(1, 1), cores > 1, limit)
	check("as many as there are cores work", limit, awake(cores, 0), false, limit)
	check("a long backlog brings one more", limit*backlogTurns, awake(cores, 0), true, limit)
	check("the queue stands still", 10, func() { tg.awake, tg.taken = 1, f.now()-2*stallTime }, true, limit)
	check("the queue stands still, and one has yet to look", 10, func() { tg.awake, tg.looking, tg.taken = 1, 1, f.now()-2*stallTime }, false, limit)
	check("requests gather", 10, func() { tg.awake, tg.gathering = 0, true }, false, limit)
	tg.gathering = false
	check("the breaker is open", 10, func() { tg.breaker.probeAt.Store(underWay) }, false, limit)
	tg.breaker.probeAt.Store(0)
	slow := func(awake, looking, open int) func() {
		return func() { tg.pace, tg.awake, tg.looking, tg.open = pace{now: 10 * ms}, awake, looking, open }
	}
	check("slow", 10, slow(0, 0, 0), true, 1)
	check("slow, one works", 10, slow(1, 0, 0), cores > 1, 1)
	check("slow, one has yet to look", 10, slow(1, 1, 0), false, 1)
	check("slow, few connections are left", 100, slow(0, 0, 60), true, limit)
	check("slow, twenty connections are left", 100, slow(0, 0, 44), true, 5)
	drain(t, f)
}

// No connection is opened while another one is idle: requests that have to be
// alone wait for the next turn.
func TestIdleConnectionsComeFirst(t *testing.T) {
	rt := listen(t, func(c *rawConn) { c.serve(ok) })
	f := newFanout(t, nil, rt.url+",batch=8,conns=4")
	tg := f.targets[0]
	tg.hold()
	f.Submit(requests("POST /1 x", "POST /2 x"))
	tg.letGo()
	eventually(t, "two responses", func() bool { return answered(tg) == 2 })
	conns := rt.connections()
	for round := range uint64(5) {
		eventually(t, "idle connections", func() bool { return tg.idleConns() == conns })
		f.Submit(requests(slices.Repeat([]string{"POST / x"}, conns)...))
		eventually(t, "more responses", func() bool { return answered(tg) == 2+(round+1)*uint64(conns) })
	}
	drain(t, f)
	if n := rt.connections(); n != conns {
		t.Errorf("%d connections, but %d were enough", n, conns)
	}
}

// A request that is not idempotent or has a body, a HEAD, and one that is sent
// again, has a connection to itself, whatever the batch is (RFC 9112 section
// 9.3.2).
func TestAloneOnAConnection(t *testing.T) {
	f := newFanout(t, nil, nobody+",batch=8")
	tg := f.targets[0]
	check := func(reqs []string, want ...int) {
		t.Helper()
		tg.hold()
		f.Submit(requests(reqs...))
		tg.mu.Lock()
		var got []int
		var r results
		for tg.queue.n > 0 {
			c := &conn{t: tg}
			got = append(got, tg.fill(c, 8))
			for i := range c.batch {
				r.drop(&c.batch[i], dropShutdown)
			}
		}
		tg.length.Store(0)
		tg.mu.Unlock()
		tg.settle(&r)
		tg.letGo()
		if !slices.Equal(got, want) {
			t.Errorf("%q: %d on the connections, want %d", reqs, got, want)
		}
	}
	check([]string{"GET /1", "GET /2", "DELETE /3", "OPTIONS /4", "PUT /5"}, 4, 1)
	check([]string{"GET /1", "POST /2", "GET /3", "GET /4"}, 1, 1, 2)
	check([]string{"GET /1", "PUT /2 body", "PUT /3"}, 1, 1, 1)
	check([]string{"PATCH /1", "POST /2 body", "FOO /3"}, 1, 1, 1)
	check([]string{"HEAD /1", "GET /2", "HEAD /3"}, 1, 1, 1)
	check(slices.Repeat([]string{"GET /"}, 20), 8, 8, 4)

	tg.hold()
	f.Submit(requests("GET /1", "GET /2", "GET /3"))
	tg.mu.Lock()
	tg.queue.front().flags |= flagRetried
	c := &conn{t: tg}
	if n := tg.fill(c, 8); n != 1 {
		t.Errorf("%d go with one that is sent again", n)
	}
	tg.queue.pushFront(c.batch[0])
	tg.mu.Unlock()
	tg.letGo()
	drain(t, f)
}

// A request that is sent for the second time takes a new connection, not one that
// may end like the one before; at the limit another one gives its place.
func TestSentAgainOnANewConnection(t *testing.T) {
	f := func(conns int) {
		t.Helper()
		rt := listen(t, func(c *rawConn) {
			c.take(1)
			c.send(ok)
			if c.number <= 3 {
				c.take(1) // and ends without a response
				return
			}
			c.serve(ok)
		})
		fan := newFanout(t, nil, fmt.Sprintf("%s,conns=%d", rt.url, conns))
		tg := fan.targets[0]
		tg.pace = pace{now: 10 * ms}
		fan.Submit(requests("GET /1", "GET /2", "GET /3"))
		eventually(t, "three responses", func() bool { return answered(tg) == 3 && tg.idleConns() == rt.connections() })
		fan.Submit(requests("GET /a"))
		drain(t, fan)
		if got := counts(tg); got != "selected=4 sent=4 2xx=4" {
			t.Errorf("with %d connections: %s", conns, got)
		}
	}
	f(3)
	f(64)
}
