package fanout

import (
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

const ms = int64(time.Millisecond)

func TestPace(t *testing.T) {
	f := func(what string, want bool, times ...int64) {
		t.Helper()
		var p pace
		for _, first := range times {
			p.add(first)
		}
		if got := p.fast(); got != want {
			t.Errorf("%s: fast is %v", what, got)
		}
	}
	slow := slices.Repeat([]int64{10 * ms}, paceWindow)
	f("unknown", false)
	f("fast", true, ms/10)
	f("slow", false, 10*ms)
	f("at the limit", false, fastResponse)
	f("below the limit", true, fastResponse-1)
	f("in no time", true, 0)
	f("one fast answer among slow ones", true, 10*ms, ms/10, 10*ms)
	f("in the window before", true, slices.Concat([]int64{ms / 10}, slow)...)
	f("fast long ago", false, slices.Concat([]int64{ms / 10}, slow, slow)...)
	f("slow long ago", true, slices.Concat(slow, slow, []int64{ms / 10})...)
}

// What comes together to a target of 10 ms runs together: it waits until it has
// seen all twenty.
func TestSlowTargetGetsRequestsAtOnce(t *testing.T) {
	const together = 20
	arrived := make(chan struct{}, together)
	answer := make(chan struct{})
	rt := listen(t, func(c *rawConn) {
		for c.next() != "" {
			arrived <- struct{}{}
			<-answer
			c.send(ok)
		}
	})
	f := newFanout(t, nil, rt.url)
	tg := f.targets[0]
	for round := range 3 {
		f.Submit(requests(slices.Repeat([]string{"GET /"}, together)...))
		for range together {
			<-arrived
		}
		for range together {
			answer <- struct{}{}
		}
		eventually(t, "the answers", func() bool { return answered(tg) == uint64((round+1)*together) })
		tg.mu.Lock()
		tg.pace = pace{now: 10 * ms}
		tg.mu.Unlock()
	}
	drain(t, f)
	if n := rt.connections(); n != together {
		t.Errorf("%d connections for %d requests at once, three times", n, together)
	}
}

// However many requests there are, a target has no more connections than it
// may, even when each ends with its answer.
func TestConnectionsAreBounded(t *testing.T) {
	const conns, all = 3, 60
	var mu sync.Mutex
	open, most := 0, 0
	rt := listen(t, func(c *rawConn) {
		mu.Lock()
		open++
		most = max(most, open)
		mu.Unlock()
		c.next()
		mu.Lock()
		open-- // before the answer, for the next connection may follow at once
		mu.Unlock()
		c.send(okClose)
	})
	f := newFanout(t, nil, rt.url+",conns=3,batch=1")
	for range all {
		f.Submit(requests("POST /"))
	}
	drain(t, f)
	mu.Lock()
	defer mu.Unlock()
	if got := counts(f.targets[0]); got != "selected=60 sent=60 2xx=60" || most > conns {
		t.Errorf("%s, %d connections at a time", got, most)
	}
	if n := rt.connections(); n != all {
		t.Errorf("%d connections for %d answers that close", n, all)
	}
}

// A queue behind a response that does not come gets another connection.
func TestQueueBehindAHungResponse(t *testing.T) {
	hung := make(chan struct{})
	rt := listen(t, func(c *rawConn) {
		if c.number == 1 {
			c.take(1)
			c.send(ok)
			c.take(1)
			<-hung
			c.send(ok)
		}
		c.serve(ok)
	})
	f := newFanout(t, nil, rt.url+",conns=2,batch=4")
	tg := f.targets[0]
	f.Submit(requests("GET /1"))
	eventually(t, "an idle connection", func() bool { return tg.idleConns() == 1 })
	tg.mu.Lock()
	tg.pace = pace{now: ms / 10}
	tg.mu.Unlock()
	f.Submit(requests("GET /2"))
	eventually(t, "the request", func() bool { return len(rt.requests()) == 2 })
	f.Submit(requests("GET /3"))
	eventually(t, "another connection", func() bool { return answered(tg) == 2 })
	close(hung)
	drain(t, f)
	if got := counts(tg); got != "selected=3 sent=3 2xx=3" || rt.connections() != 2 {
		t.Errorf("%s on %s connections", got, strconv.Itoa(rt.connections()))
	}
}
