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
	const pause = time.Duration(gatherTime * 2 / 9)
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
			tg.pace = pace{now: ms / 10}
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
				tg.enter()
				newWorker(tg).gather(wait)
				tg.leave()
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
	f("all that comes in the time", "batch=64", asIs, []int{1, 1, 1, 1}, gatherTime, 4)
	f("not what comes later", "batch=64", asIs, []int{1, 1, 1, 1, 1, 1, 1, 1}, gatherTime, 5)
	f("enough from the start", "batch=64", asIs, []int{64, 1}, 0, 64)
	f("single requests gather, too", "batch=1", asIs, []int{1, 1}, gatherTime, 2)
	f("a slow target", "batch=64", func(tg *target) { tg.pace = pace{now: 10 * ms} }, []int{1, 1}, 0, 1)
	f("nothing is known", "batch=64", func(tg *target) { tg.pace = pace{} }, []int{1, 1}, 0, 1)
	f("the queue is short", "batch=64,queue=2047", asIs, []int{1, 1}, 0, 1)
	f("the queue is long enough", "batch=64,queue=2048", asIs, []int{1, 1}, gatherTime, 2)
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
