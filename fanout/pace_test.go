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
	f("at the limit", false, fastAnswer)
	f("below the limit", true, fastAnswer-1)
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
	if got := counts(f.targets[0]); got != "selected=60 sent=60 2xx=60" || most > conns {
		t.Errorf("%s, %d connections at a time", got, most)
	}
	if n := rt.connections(); n != all {
		t.Errorf("%d connections for %d answers that close", n, all)
	}
}

// A target that answers fast gets full batches over few connections; one that
// is slow, a lane for each request.
func TestLanesFollowThePace(t *testing.T) {
	const limit = 16
	f := newFanout(t, nil, nobody+",batch=16,conns=64")
	tg := f.targets[0]
	// check asserts how many more lanes are wanted, from least to most, and what
	// each takes, when so many requests are queued.
	check := func(what string, queued int, edit func(), least, most, share int) {
		t.Helper()
		tg.hold()
		f.Submit(requests(slices.Repeat([]string{"GET /"}, queued)...))
		tg.mu.Lock()
		defer tg.mu.Unlock()
		tg.lanes, tg.waking, tg.taken, tg.pace = 0, 0, f.now(), pace{now: ms / 10}
		edit()
		if got := max(0, tg.lanesWanted(f.now())); got < least || got > most {
			t.Errorf("%s: %d lanes wanted, want %d to %d", what, got, least, most)
		}
		if got := tg.share(); got != share {
			t.Errorf("%s: a lane takes %d, want %d", what, got, share)
		}
		var o outcome
		for tg.queue.n > 0 {
			o.drop(tg.queue.popFront(), dropShutdown)
		}
		tg.settle(&o)
		tg.lanes, tg.waking = 0, 0
		tg.length.Store(0)
	}
	asIs := func() {}
	check("no work", 0, asIs, 0, 0, 0)
	check("no lane yet, little work", 10, asIs, 1, 1, 10)
	check("no lane yet, more than two batches", 40, asIs, min(2, fastLanes), min(2, fastLanes), limit)
	check("a lane is busy, less than a batch", 15, func() { tg.lanes = 1 }, 0, 0, 15)
	check("a lane is busy, two batches", 32, func() { tg.lanes = 1 }, min(1, fastLanes-1), 2, limit)
	check("a lane is on its way for the one batch", limit, func() { tg.lanes, tg.waking = 1, 1 }, 0, 0, limit)
	check("a lane is busy, a long backlog", 640, func() { tg.lanes = 1 }, 1, fastLanes+640/(limit*backlogBatches), limit)
	check("enough lanes are on their way", 32, func() { tg.lanes, tg.waking = 2, 2 }, 0, 0, limit)
	check("one lane is on its way, and the queue stands still", 10, func() { tg.lanes, tg.waking, tg.taken = 2, 1, f.now()-2*patience }, 0, 0, 10)
	check("the queue stands still", 10, func() { tg.lanes, tg.taken = 1, f.now()-2*patience }, 1, 1, 10)
	single := func() { tg.batchLimit.Store(1) }
	check("batches are paused, a lane is busy, fewer than it carries", maxReach-1, func() { single(); tg.lanes = 1 }, 0, 0, 1)
	check("batches are paused, as many as two carry", 2*maxReach, single, min(2, fastLanes), 2, 1)
	tg.batchLimit.Store(limit)
	slow := pace{now: 10 * ms}
	check("slow", 10, func() { tg.pace = slow }, 10, 10, 1)
	check("slow, some are on their way", 10, func() { tg.pace, tg.lanes, tg.waking = slow, 4, 4 }, 6, 6, 1)
	check("slow, backlog for few free lanes", 100, func() { tg.pace, tg.lanes = slow, 60 }, 100, 100, limit)
	check("slow, backlog for twenty free lanes", 100, func() { tg.pace, tg.lanes = slow, 45 }, 100, 100, 5)
	drain(t, f)
}

// A target that closes after each first answer gets single requests after
// three such batches, and batches again half a minute later.
func TestBatchesPause(t *testing.T) {
	rt := listen(t, func(c *rawConn) {
		c.take(1)
		c.send(okClose)
		c.waitEnd()
	})
	f := newFanout(t, nil, rt.url+",conns=1,batch=2")
	tg := f.targets[0]
	limit := func() string { return sample(t, f, `mirrorgate_target_batch_limit{target="t1"}`) }
	f.Submit(requests("POST /1", "POST /2", "POST /3", "POST /4"))
	eventually(t, "four answers", func() bool { return answered(tg) == 4 && tg.idleLanes() == 1 })
	if limit() != "2" {
		t.Errorf("limit is %s after two cut batches", limit())
	}
	f.Submit(requests("POST /5", "POST /6", "POST /7", "POST /8"))
	eventually(t, "eight answers", func() bool { return answered(tg) == 8 && tg.idleLanes() == 1 })
	if limit() != "1" {
		t.Errorf("limit is %s after three cut batches", limit())
	}
	tg.mu.Lock()
	resumeAt := tg.resumeAt
	tg.mu.Unlock()
	tg.tick(resumeAt - 1)
	if limit() != "1" {
		t.Error("the pause is over too early")
	}
	tg.tick(resumeAt)
	if limit() != "2" {
		t.Error("the pause does not end")
	}
	if left := resumeAt - f.now(); left > batchPause || left < batchPause-int64(time.Minute) {
		t.Errorf("the pause ends in %v", time.Duration(left))
	}
	drain(t, f)
	if got := counts(tg); got != "selected=8 sent=8 2xx=8" {
		t.Error(got)
	}
}

// A server that closes now and then, as nginx does every 1000 requests, keeps
// its batches: only three in a row, cut at the first answer, count.
func TestBatchesGoOn(t *testing.T) {
	f := newFanout(t, nil, nobody+",batch=4")
	defer drain(t, f)
	tg := f.targets[0]
	check := func(want int64, batch int, cuts ...bool) {
		t.Helper()
		for _, cut := range cuts {
			tg.answered(f.now(), ms, batch, cut)
		}
		if got := tg.batchLimit.Load(); got != want {
			t.Errorf("%v: limit is %d, want %d", cuts, got, want)
		}
	}
	check(4, 4, true, true, false, true, true, false)
	check(4, 1, true, true, true, true)
	check(4, 2, true, true)
	check(4, 1, false)
	check(1, 2, true)
}

// A queue that stands still behind a hung lane gets another lane.
func TestQueueBehindAHungLane(t *testing.T) {
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
	eventually(t, "an idle lane", func() bool { return tg.idleLanes() == 1 })
	tg.mu.Lock()
	tg.pace = pace{now: ms / 10}
	tg.mu.Unlock()
	f.Submit(requests("GET /2"))
	eventually(t, "the lane to hang", func() bool { return len(rt.requests()) == 2 })
	f.Submit(requests("GET /3"))
	eventually(t, "another lane", func() bool { return answered(tg) == 2 })
	close(hung)
	drain(t, f)
	if got := counts(tg); got != "selected=3 sent=3 2xx=3" || rt.connections() != 2 {
		t.Errorf("%s on %s connections", got, strconv.Itoa(rt.connections()))
	}
}
