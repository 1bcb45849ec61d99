package fanout

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// A lane of a fast target waits for what comes within the time, if a batch is
// not full and there is room in the queue. Here time is the bubble's.
func TestLinger(t *testing.T) {
	const pause = time.Duration(lingerTime / 5)
	// f submits so many requests, pause after pause, and checks how many pauses
	// the lane waited and what it took.
	f := func(what, options string, edit func(tg *target), arrivals []int, wantPauses int, wantTaken int) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			t.Helper()
			fan := newFanout(t, nil, nobody+","+options)
			tg := fan.targets[0]
			tg.hold()
			tg.pace = pace{now: ms / 10}
			submit := func(n int) { fan.Submit(requests(slices.Repeat([]string{"GET /"}, n)...)) }
			submit(arrivals[0])
			edit(tg)
			go func() {
				for _, n := range arrivals[1:] {
					time.Sleep(pause)
					submit(n)
				}
			}()
			l := newLane(tg)
			start := time.Now()
			l.take()
			if took := time.Since(start); took != time.Duration(wantPauses)*pause || len(l.batch) != wantTaken {
				t.Errorf("%s: took %d after %v, want %d after %v", what, len(l.batch), took, wantTaken, time.Duration(wantPauses)*pause)
			}
			synctest.Wait()
			l.dropBatch(dropDial)
			time.Sleep(time.Second)
			tg.letGo()
			drain(t, fan)
		})
	}
	asIs := func(*target) {}
	f("all that comes in time", "batch=8", asIs, []int{1, 2, 0, 1, 1}, 5, 5)
	f("no more than a batch", "batch=4", asIs, []int{1, 2, 0, 2, 1}, 5, 4)
	f("alone", "batch=8", asIs, []int{1}, 5, 1)
	f("a full batch", "batch=4", asIs, []int{4, 1}, 0, 4)
	f("single requests gather, too", "batch=1", asIs, []int{1, 1}, 5, 1)
	f("a slow target", "batch=8", func(tg *target) { tg.pace = pace{now: 10 * ms} }, []int{1, 1}, 0, 1)
	f("nothing is known", "batch=8", func(tg *target) { tg.pace = pace{} }, []int{1, 1}, 0, 1)
	f("the queue is short", "batch=8,queue=255", asIs, []int{1, 1}, 0, 1)
	f("the queue is long enough", "batch=8,queue=256", asIs, []int{1, 1}, 5, 2)
	f("it ends", "batch=8", func(tg *target) { tg.draining = true }, []int{1}, 0, 1)
}

// One lane lingers, and what gathers is its own: another one sleeps on, unless
// there is more than a batch.
func TestOneLaneLingers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFanout(t, nil, nobody+",batch=4,conns=2")
		tg := f.targets[0]
		tg.hold()
		tg.pace = pace{now: ms / 10}
		f.Submit(requests("GET /1"))
		first, second := newLane(tg), newLane(tg)
		var taken []int
		take := func(l *lane) {
			l.take()
			taken = append(taken, len(l.batch))
			l.dropBatch(dropDial)
		}
		go take(first)
		synctest.Wait()
		go take(second)
		synctest.Wait()
		if tg.idleLanes() != 1 || !tg.lingers || tg.waking != 1 {
			t.Errorf("%d idle lanes, one lingers: %v, %d on their way", tg.idleLanes(), tg.lingers, tg.waking)
		}
		f.Submit(requests("GET /2", "GET /3"))
		synctest.Wait()
		if len(taken) > 0 || tg.idleLanes() != 1 {
			t.Errorf("took %d, %d idle lanes, before there was a batch", taken, tg.idleLanes())
		}
		f.Submit(requests("GET /4", "GET /5", "GET /6", "GET /7", "GET /8"))
		synctest.Wait()
		if !slices.Equal(taken, []int{4}) || tg.idleLanes() != 0 {
			t.Errorf("took %d, %d idle lanes, with two batches there", taken, tg.idleLanes())
		}
		time.Sleep(time.Duration(lingerTime))
		synctest.Wait()
		if !slices.Equal(taken, []int{4, 4}) || tg.lingers || tg.waking != 0 {
			t.Errorf("took %d in the end, one lingers: %v, %d on their way", taken, tg.lingers, tg.waking)
		}
		tg.letGo()
		drain(t, f)
	})
}
