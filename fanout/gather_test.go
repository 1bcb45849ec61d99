package fanout

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A worker of a fast target waits for what comes within the time, if there are
// fewer than it can send in a turn and there is room in the queue. Here time is
// the bubble's.
func TestGather(t *testing.T) {
	const pause = time.Duration(maxGather * 2 / 9)
	// f submits so many requests, pause after pause, and checks how long
	// the worker waited, and how many requests there were then.
	f := func(what, options string, edit func(tg *target), arrivals []int, wantTime int64, wantTaken int) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			t.Helper()
			fan := newFanout(t, nil, nobody+","+options)
			tg := fan.targets[0]
			synctest.Wait()
			tg.hold()
			tg.pace, tg.arrivals.gap = pace{now: ms / 10}, maxGather/gatherGain
			submit := func(n int) { fan.Submit(requests(slices.Repeat([]string{"GET /"}, n)...)) }
			submit(arrivals[0])
			edit(tg)
			var submitting sync.WaitGroup
			submitting.Go(func() {
				for _, n := range arrivals[1:] {
					time.Sleep(pause)
					submit(n)
				}
			})
			start := time.Now()
			tg.mu.Lock()
			for wait := tg.gatherTime(fan.now()); wait > 0; wait = tg.gatherTime(fan.now()) {
				tg.processors.acquire()
				newWorker(tg).gather(wait)
				tg.processors.release()
			}
			waiting := tg.queue.n
			tg.mu.Unlock()
			if took := time.Since(start); took != time.Duration(wantTime) || waiting != wantTaken {
				t.Errorf("%s: %d waited after %v, want %d after %v", what, waiting, took, wantTaken, time.Duration(wantTime))
			}
			submitting.Wait()
			tg.draining, tg.gathering = false, false
			tg.answerQueued(1 << 20)
			tg.letGo()
			drain(t, fan)
		})
	}
	asIs := func(*target) {}
	f("all that comes in the time", "batch=64", asIs, []int{1, 1, 1, 1}, maxGather, 4)
	f("not what comes later", "batch=64", asIs, []int{1, 1, 1, 1, 1, 1, 1, 1}, maxGather, 5)
	f("enough from the start", "batch=64", asIs, []int{64, 1}, 0, 64)
	f("single requests gather, too", "batch=1", asIs, []int{1, 1}, maxGather, 2)
	f("a slow target", "batch=64", func(tg *target) { tg.pace = pace{now: 10 * ms} }, []int{1, 1}, 0, 1)
	f("nothing is known", "batch=64", func(tg *target) { tg.pace = pace{} }, []int{1, 1}, 0, 1)
	f("the queue is short", "batch=64,queue=2047", asIs, []int{1, 1}, 0, 1)
	f("the queue is long enough", "batch=64,queue=2048", asIs, []int{1, 1}, maxGather, 2)
	f("few are to be expected", "batch=64", func(tg *target) { tg.arrivals.gap = maxGather/gatherGain + 1 }, []int{1, 1}, 0, 1)
	f("it ends", "batch=64", func(tg *target) { tg.draining = true }, []int{1}, 0, 1)
	f("somebody gathers", "batch=64", func(tg *target) { tg.gathering = true }, []int{1}, 0, 1)
}

// What gathers is the work of the worker that waits: no other is woken for it,
// unless there is more than a turn.
func TestOneWorkerGathers(t *testing.T) {
	f := newFanout(t, nil, nobody+",batch=64")
	defer drain(t, f)
	tg := f.targets[0]
	eventually(t, "the worker to sleep", func() bool {
		tg.mu.Lock()
		defer tg.mu.Unlock()
		return len(tg.sleepers) == 1
	})
	tg.hold()
	f.Submit(requests(slices.Repeat([]string{"GET /"}, 63)...))
	tg.mu.Lock()
	tg.open = 0
	tg.pace, tg.gathering = pace{now: ms / 10}, true
	if n := tg.work(f.now()); n != 0 || tg.wantsWorker(f.now()) {
		t.Errorf("%d requests for another worker while they gather", n)
	}
	tg.mu.Unlock()
	tg.hold()
	f.Submit(requests("GET /"))
	tg.mu.Lock()
	tg.open = 0
	if n := tg.work(f.now()); n != 64 || !tg.wantsWorker(f.now()) {
		t.Errorf("%d requests for another worker, want a whole turn", n)
	}
	tg.gathering = false
	tg.mu.Unlock()
	tg.answerQueued(64)
}

// How long a worker waits follows the rate: not at all where few would come, else
// until a turn is full.
func TestGatherFollowsTheRate(t *testing.T) {
	f := func(what string, gap int64, n int, want int64) {
		t.Helper()
		var a arrivals
		for i := range int64(200) {
			a.add(i*gap+1, n)
		}
		if a.gap < want*9/10 || a.gap > want*11/10 {
			t.Errorf("%s: %d ns from one to the next, want %d", what, a.gap, want)
		}
	}
	f("1,000 a second", ms, 1, ms)
	f("40,000 a second", ms/40, 1, ms/40)
	f("40,000 a second, 8 at once", ms/5, 8, ms/40)
	f("2 a second", 500*ms, 1, maxGather)

	fan := newFanout(t, nil, nobody)
	defer drain(t, fan)
	tg := fan.targets[0]
	tg.hold()
	fan.Submit(requests(slices.Repeat([]string{"GET /"}, 6)...))
	tg.mu.Lock()
	tg.pace, tg.arrivals.gap = pace{now: ms / 10}, ms/40
	if got := tg.gatherTime(tg.queue.front().at); got != 10*ms/40 {
		t.Errorf("6 wait %d ns for the other 10 of a turn", got)
	}
	tg.pace = pace{}
	tg.mu.Unlock()
	tg.answerQueued(6)
	tg.letGo()
}
