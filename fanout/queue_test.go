package fanout

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/mirrorgate/mirrorgate/codec"
)

// The ring is a list to which one can add at both ends.
func TestQueueIsAList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q queue
		var want []int64
		next := int64(0)
		add := func() entry { next++; return entry{at: next} }
		t.Repeat(map[string]func(*rapid.T){
			"pushBack": func(t *rapid.T) {
				for range rapid.IntRange(1, 100).Draw(t, "n") {
					q.pushBack(add())
					want = append(want, next)
				}
			},
			"pushFront": func(t *rapid.T) {
				for range rapid.IntRange(1, 100).Draw(t, "n") {
					q.pushFront(add())
					want = slices.Insert(want, 0, next)
				}
			},
			"popFront": func(t *rapid.T) {
				for range min(len(want), rapid.IntRange(1, 150).Draw(t, "n")) {
					if got := q.popFront().at; got != want[0] {
						t.Fatalf("popped %d, want %d", got, want[0])
					}
					want = want[1:]
				}
			},
			"": func(t *rapid.T) {
				if q.n != len(want) {
					t.Fatalf("%d entries, want %d", q.n, len(want))
				}
				i := 0
				for b := q.head; b != nil; b = b.next {
					for _, e := range b.entries[b.begin:b.end] {
						if e.at != want[i] {
							t.Fatalf("entry %d is %d, want %d", i, e.at, want[i])
						}
						i++
					}
				}
				if i != len(want) || q.kept > keptBlocks {
					t.Fatalf("%d entries in blocks, want %d; %d blocks are kept", i, len(want), q.kept)
				}
				if len(want) > 0 && q.front().at != want[0] {
					t.Fatalf("the first is %d, want %d", q.front().at, want[0])
				}
			},
		})
	})
}

// What was popped is not kept alive by the queue.
func TestQueueForgetsWhatLeft(t *testing.T) {
	var q queue
	for range 3 {
		q.pushBack(entry{payload: &payload{}})
	}
	q.popFront()
	q.popFront()
	held := 0
	for _, e := range q.head.entries {
		if e.payload != nil {
			held++
		}
	}
	if held != 1 {
		t.Errorf("the queue holds %d payloads, want 1", held)
	}
}

// Who goes when the queue is full, and that it is counted.
func TestDropPolicies(t *testing.T) {
	f := func(spec string, batches [][]string, wantSeen []string, wantCounts string) {
		t.Helper()
		rt := listen(t, func(c *rawConn) { c.serve(ok) })
		fan := newFanout(t, nil, rt.url+",conns=1,queue=3,"+spec)
		tg := fan.targets[0]
		tg.hold()
		for _, batch := range batches {
			fan.Submit(requests(batch...))
		}
		if n := tg.length.Load(); n != 3 || tg.queue.n != 3 {
			t.Errorf("%s: gauge %d, queue %d, want 3", spec, n, tg.queue.n)
		}
		tg.letGo()
		drain(t, fan)
		if got := rt.requests(); !slices.Equal(got, wantSeen) {
			t.Errorf("%s: target got %q, want %q", spec, got, wantSeen)
		}
		if got := counts(tg); got != wantCounts {
			t.Errorf("%s: %s, want %s", spec, got, wantCounts)
		}
	}
	one := []string{"GET /1", "GET /2", "GET /3", "GET /4", "GET /5"}
	two := [][]string{{"GET /1", "GET /2"}, {"GET /3", "GET /4"}, {"GET /5"}}
	for _, batches := range [][][]string{{one}, two} {
		f("drop=newest", batches, one[:3], "selected=5 dropped{queue_full}=2 sent=3 2xx=3")
		f("drop=oldest", batches, one[2:], "selected=5 dropped{queue_full}=2 sent=3 2xx=3")
	}
}

// What a broken connection gives back finds room in a full queue, in front.
func TestGiveBackIsFirst(t *testing.T) {
	f := newFanout(t, nil, "http://127.0.0.1:1,conns=1,queue=2")
	tg := f.targets[0]
	tg.hold()
	f.Submit(requests("GET /1", "GET /2"))
	tg.mu.Lock()
	back := []entry{tg.queue.popFront(), tg.queue.popFront()}
	tg.length.Store(0)
	tg.mu.Unlock()
	f.Submit(requests("GET /3", "GET /4"))
	tg.giveBack(back)
	var got []string
	for _, e := range tg.queued() {
		got = append(got, string(e.buf[:6]))
	}
	if !slices.Equal(got, []string{"GET /1", "GET /2", "GET /3", "GET /4"}) || tg.length.Load() != 4 {
		t.Errorf("queue is %q, its gauge %d", got, tg.length.Load())
	}
	tg.letGo()
	drain(t, f)
}

// A request that waited longer than max-age is dropped when its turn comes.
func TestStale(t *testing.T) {
	f := newFanout(t, nil, "http://127.0.0.1:1,conns=1,max-age=10s")
	tg := f.targets[0]
	tg.hold()
	f.Submit(requests("GET /1", "GET /2", "GET /3"))
	check := func(now int64, left int) {
		t.Helper()
		tg.dropStale(now)
		if tg.queue.n != left || tg.length.Load() != int64(left) {
			t.Errorf("%d left, gauge %d, want %d", tg.queue.n, tg.length.Load(), left)
		}
	}
	first := tg.queue.front().at
	tg.queued()[2].at += 5e9
	check(first+10e9, 3)
	check(first+10e9+1, 1)
	check(first+15e9+1, 0)
	tg.letGo()
	drain(t, f)
	if got := counts(tg); got != "selected=3 dropped{stale}=3" {
		t.Error(got)
	}
}

// A queue that nobody takes from is emptied of what is stale, too.
func TestStaleBehindASlowTarget(t *testing.T) {
	release := make(chan struct{})
	rt := listen(t, func(c *rawConn) {
		c.take(1)
		<-release
		c.send(ok)
		c.serve(ok)
	})
	f := newFanout(t, nil, rt.url+",conns=1,batch=1,max-age=1ms")
	tg := f.targets[0]
	tg.hold()
	f.Submit([]codec.Request{request("GET", "/first", "")})
	tg.mu.Lock()
	tg.queue.front().at += 60e9 // in time, however slow the start is
	tg.mu.Unlock()
	tg.letGo()
	eventually(t, "the first request", func() bool { return len(rt.requests()) == 1 })
	f.Submit(requests("GET /a", "GET /b"))
	eventually(t, "the stale ones to go", func() bool { return tg.metrics.dropped[dropStale].Get() == 2 })
	close(release)
	drain(t, f)
	if got := counts(tg); got != "selected=3 dropped{stale}=2 sent=1 2xx=1" {
		t.Error(got)
	}
}
