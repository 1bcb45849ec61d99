package fanout

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/mirrorgate/mirrorgate/codec"
)

func TestRateLimit(t *testing.T) {
	allow := func(r *rateLimit, now time.Duration, tries int) (n int) {
		for range tries {
			if r.allow(int64(now)) {
				n++
			}
		}
		return n
	}
	f := func(r *rateLimit, now time.Duration, tries, want int) {
		t.Helper()
		if got := allow(r, now, tries); got != want {
			t.Errorf("at %v: %d of %d allowed, want %d", now, got, tries, want)
		}
	}
	const ms = time.Millisecond
	r := newRateLimit(200, 0)
	f(r, 0, 100, 20) // a tenth of a second's worth
	f(r, 4*ms, 100, 0)
	f(r, 5*ms, 100, 1)
	f(r, 25*ms, 100, 4)
	f(r, time.Hour, 100, 20) // a long pause gives no more
	f(r, time.Hour+50*ms, 3, 3)
	f(r, time.Hour+50*ms, 100, 7)

	r = newRateLimit(0.5, 0) // slower than a tenth of a second: one at a time
	f(r, 0, 10, 1)
	f(r, 1999*ms, 10, 0)
	f(r, 2000*ms, 10, 1)
	f(r, time.Hour, 10, 1)

	r = newRateLimit(1e-12, 0) // less than one in all time
	f(r, time.Minute, 10, 1)
	f(r, 10_000*time.Hour, 10, 0)
}

// However the requests come, no stretch of time gets more than its share and
// the burst, and a steady stream gets all of it.
func TestRateLimitHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.Float64Range(0.1, 100_000).Draw(t, "rate")
		r := newRateLimit(rate, 0)
		burst := max(1, rate/10)
		now, allowed, start := int64(0), 0, int64(0)
		for range rapid.IntRange(1, 300).Draw(t, "steps") {
			now += rapid.Int64Range(0, int64(50*time.Millisecond)).Draw(t, "pause")
			for range rapid.IntRange(1, 20).Draw(t, "tries") {
				if r.allow(now) {
					allowed++
				}
			}
			if most := rate*float64(now-start)/1e9 + burst; float64(allowed) > most*1.001+1 {
				t.Fatalf("%d allowed after %v at %v/s", allowed, time.Duration(now), rate)
			}
		}
	})
	r, allowed := newRateLimit(1000, 0), 0
	for now := time.Duration(0); now < 10*time.Second; now += 100 * time.Microsecond {
		if r.allow(int64(now)) {
			allowed++
		}
	}
	if allowed < 10_000 || allowed > 10_100 {
		t.Errorf("%d allowed in 10 s at 1000/s", allowed)
	}
}

func TestRateLimitIsSafe(t *testing.T) {
	r := newRateLimit(10_000, 0) // a burst of 1000
	var allowed atomic.Int64
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 1000 {
				if r.allow(0) {
					allowed.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if n := allowed.Load(); n != 1000 {
		t.Errorf("%d of 4000 allowed at once, want 1000", n)
	}
}

// What is over the rate is dropped before anything else is asked.
func TestRateIsCounted(t *testing.T) {
	f := newFanout(t, func(c *Config) { c.Memory = 1 }, "http://127.0.0.1:1,rate=0.001/s", "http://127.0.0.1:1")
	f.Submit(requests("GET /1", "GET /2", "GET /3"))
	f.Submit(requests("GET /4"))
	drain(t, f)
	if got := counts(f.targets[0]); got != "selected=4 dropped{rate}=3 dropped{memory}=1" {
		t.Error(got)
	}
	if got := counts(f.targets[1]); got != "selected=4 dropped{memory}=4" {
		t.Error(got)
	}
}

// small is the cost in bytes of a payload of the smallest class.
const small = 512 + payloadSize

func TestMemory(t *testing.T) {
	f := func(memory int64, batches []int, want ...string) {
		t.Helper()
		fan := newFanout(t, func(c *Config) { c.Memory = memory }, "http://127.0.0.1:1", "http://127.0.0.1:1", "http://127.0.0.1:1,methods=POST")
		for _, tg := range fan.targets {
			tg.hold()
		}
		reqs := requests("GET /", "GET /", "GET /", "GET /", "GET /", "GET /")
		for _, n := range batches {
			fan.Submit(reqs[:n])
			if held := fan.memory.payloads.Load(); held > memory {
				t.Errorf("%d bytes held, %d allowed", held, memory)
			}
		}
		fan.Submit(requests("POST /"))
		for i, tg := range fan.targets {
			if held := tg.held.Load(); held > memory/2 {
				t.Errorf("target %d holds %d bytes, half of the memory is %d", i, held, memory/2)
			}
			if got := counts(tg); got != want[i] {
				t.Errorf("%d bytes, %v: target %d: %s, want %s", memory, batches, i, got, want[i])
			}
			tg.letGo()
		}
		drain(t, fan)
	}
	// Targets share a payload, so the two that get everything hold half each of
	// what they may, and the third has room for its own.
	for _, batches := range [][]int{{6}, {1, 1, 4}} {
		f(8*small, batches, "selected=7 dropped{memory}=3", "selected=7 dropped{memory}=3", "selected=1")
		f(4*small, batches, "selected=7 dropped{memory}=5", "selected=7 dropped{memory}=5", "selected=1")
	}
	f(small, []int{1}, "selected=2 dropped{memory}=2", "selected=2 dropped{memory}=2", "selected=1 dropped{memory}=1")
}

// All targets together hold no more than there is, however little each holds.
func TestMemoryOfAllTargets(t *testing.T) {
	f := newFanout(t, func(c *Config) { c.Memory = 5 * small },
		"http://127.0.0.1:1,methods=GET", "http://127.0.0.1:1,methods=PUT", "http://127.0.0.1:1,methods=POST")
	for _, tg := range f.targets {
		tg.hold()
	}
	f.Submit(requests("GET /", "GET /", "PUT /", "PUT /", "POST /", "POST /"))
	for i, want := range []string{"selected=2", "selected=2", "selected=2 dropped{memory}=1"} {
		if got := counts(f.targets[i]); got != want {
			t.Errorf("target %d: %s, want %s", i, got, want)
		}
		f.targets[i].letGo()
	}
	drain(t, f)
}

// Payloads that are sent make room again.
func TestMemoryComesBack(t *testing.T) {
	rt := listen(t, func(c *rawConn) { c.serve(ok) })
	f := newFanout(t, func(c *Config) { c.Memory = 2 * small }, rt.url)
	for i := range 10 {
		f.Submit([]codec.Request{request("GET", "/", "")})
		eventually(t, "memory to come back", func() bool { return f.memory.payloads.Load() == 0 && f.targets[0].held.Load() == 0 })
		if n := answered(f.targets[0]); n != uint64(i+1) {
			t.Fatalf("%d answered after %d", n, i+1)
		}
	}
	drain(t, f)
}

// What would find the queue full is dropped before it is copied. With
// drop=oldest it is the one that waits longest that goes, later.
func TestAdmitKnowsTheQueue(t *testing.T) {
	fan := newFanout(t, nil, "http://127.0.0.1:1,queue=3", "http://127.0.0.1:1,queue=3,drop=oldest")
	defer drain(t, fan)
	f := func(tg *target, queued int64, inBatch int, want dropReason) {
		t.Helper()
		b := newBatch(fan)
		defer clear(b.targets)
		b.targets[tg.slot].entries = make([]entry, inBatch)
		tg.length.Store(queued)
		if got := b.admit(tg, small, fan.plan.Load().groups[0], 0); got != want {
			t.Errorf("target %s, %d queued and %d before it: %q, want %q", tg.cfg.Name, queued, inBatch, got, want)
		}
		tg.length.Store(0)
	}
	newest, oldest := fan.targets[0], fan.targets[1]
	f(newest, 0, 0, dropNone)
	f(newest, 2, 0, dropNone)
	f(newest, 3, 0, dropQueueFull)
	f(newest, 1, 1, dropNone)
	f(newest, 1, 2, dropQueueFull)
	f(newest, 0, 3, dropQueueFull)
	f(oldest, 3, 3, dropNone)
}
