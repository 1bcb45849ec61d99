//go:build !race

// Under the race detector pools lose things on purpose, so nothing could be
// said about allocations.

package fanout

import (
	"runtime"
	"testing"
	"time"

	"github.com/mirrorgate/mirrorgate/codec"
)

// A request that goes nowhere costs no allocation, whatever the reason is.
func TestDroppedAllocatesNothing(t *testing.T) {
	f := func(reason string, edit func(*Config), target string, reqs ...codec.Request) {
		t.Helper()
		fan := newFanout(t, edit, target)
		defer drain(t, fan)
		fan.Submit(reqs)
		if n := testing.AllocsPerRun(1000, func() { fan.Submit(reqs) }); n != 0 {
			t.Errorf("%s: %v allocations", reason, n)
		}
	}
	asIs := func(*Config) {}
	noMemory := func(c *Config) { c.Memory = 1 }
	by := func(text string) func(*Config) {
		return func(c *Config) { c.SampleBy, _ = ParseSampleKey(text) }
	}
	f("malformed", asIs, nobody, request("GE T", "/", ""))
	f("loop", asIs, nobody, request("GET", "/", "", "x-mirrored-by", "x"))
	f("filtered", asIs, nobody+",methods=POST", browserRequest())
	f("sampled out", asIs, nobody+",sample=0", browserRequest())
	f("sampled out by header", by("header:cookie"), nobody+",sample=0", browserRequest())
	f("sampled out by cookie", by("cookie:theme"), nobody+",sample=0", browserRequest())
	f("sampled out by path", by("path"), nobody+",sample=0", browserRequest())
	f("memory", noMemory, nobody, browserRequest(), browserRequest())
	f("no pair", func(c *Config) {
		noMemory(c)
		c.Targets = append(c.Targets, parseTargets(t, []string{"v2=" + nobody + ",against=t1"})...)
	}, nobody, browserRequest(), browserRequest())
	f("rate", noMemory, nobody+",rate=0.001/s", browserRequest(), browserRequest())
}

// Submit starts nothing for targets that have no connections yet, and allocates
// nothing for them: it wakes a worker of each, no more.
func TestSubmitToColdTargets(t *testing.T) {
	var specs []string
	for range 20 {
		specs = append(specs, nobody+",conns=64")
	}
	f := newFanout(t, nil, specs...)
	defer drain(t, f)
	asleep := make([]*worker, len(f.targets))
	woken := make([]*worker, len(f.targets))
	for i, tg := range f.targets {
		eventually(t, "its worker to sleep", func() bool {
			tg.mu.Lock()
			defer tg.mu.Unlock()
			return len(tg.sleepers) == 1
		})
		woken[i] = newWorker(tg) // in its place, and does nothing
		tg.mu.Lock()
		asleep[i] = tg.sleepers[0]
		tg.mu.Unlock()
	}
	defer func() { // or the drain would wait for those asleep
		for i, tg := range f.targets {
			tg.mu.Lock()
			tg.awake, tg.looking = 0, 0
			tg.sleepers = append(tg.sleepers[:0], asleep[i])
			tg.mu.Unlock()
		}
	}()
	reqs := make([]codec.Request, 100)
	for i := range reqs {
		reqs[i] = browserRequest()
	}
	least := uint64(1 << 62)
	for range 20 {
		for i, tg := range f.targets {
			tg.mu.Lock()
			tg.sleepers = append(tg.sleepers[:0], woken[i])
			tg.awake, tg.looking = 0, 0
			woken[i].awake, woken[i].looking = false, false
			tg.mu.Unlock()
		}
		var before, after runtime.MemStats
		goroutines := runtime.NumGoroutine()
		runtime.ReadMemStats(&before)
		f.Submit(reqs)
		runtime.ReadMemStats(&after)
		least = min(least, after.Mallocs-before.Mallocs)
		if n := runtime.NumGoroutine(); n != goroutines {
			t.Fatalf("there were %d goroutines, and are %d", goroutines, n)
		}
		for i, tg := range f.targets {
			if len(woken[i].wake) != 1 {
				t.Fatalf("target %s was woken %d times", tg.cfg.Name, len(woken[i].wake))
			}
			<-woken[i].wake
			tg.answerQueued(len(reqs))
		}
	}
	if least > 0 {
		t.Errorf("Submit makes %d allocations at least", least)
	}
}

// While a target's breaker is open, its requests cost no allocation, either.
func TestBreakerAllocatesNothing(t *testing.T) {
	fan := newFanout(t, nil, nobody)
	defer drain(t, fan)
	fan.targets[0].openBreaker()
	reqs := []codec.Request{browserRequest(), browserRequest()}
	fan.Submit(reqs)
	if n := testing.AllocsPerRun(1000, func() { fan.Submit(reqs) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if n := fan.targets[0].metrics.dropped[dropBreaker].Get(); n != 2004 {
		t.Errorf("%d dropped by the breaker, want all", n)
	}
}

// From Submit to the count of the answer, next to nothing is allocated once the
// workers run and the pools are full.
func TestSteadyStateAllocatesNextToNothing(t *testing.T) {
	rt := listen(t, func(c *rawConn) { answerHTTP1(c.Conn) })
	f := newFanout(t, nil, rt.url+",conns=4,batch=16,queue=1024,timeout=1m")
	tg := f.targets[0]
	batch := make([]codec.Request, 8)
	for i := range batch {
		batch[i] = browserRequest()
		batch[i].Production = codec.ProductionResponse{Status: 200, Timed: true, ID: []byte("7F000001:A930_6B05CEF8_0000")}
	}
	send := func(n int) {
		for range n / len(batch) {
			f.Submit(batch)
			for tg.length.Load() > 512 {
				time.Sleep(100 * time.Microsecond)
			}
		}
		for tg.length.Load()+tg.inFlight() > 0 {
			time.Sleep(100 * time.Microsecond)
		}
	}
	send(10_000)
	const n = 40_000
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	send(n)
	runtime.ReadMemStats(&after)
	if perRequest := float64(after.Mallocs-before.Mallocs) / n; perRequest > 0.05 {
		t.Errorf("%.3f allocations a request", perRequest)
	}
	drain(t, f)
	if got := counts(tg); got != "selected=50000 sent=50000 2xx=50000" {
		t.Error(got)
	}
}
