package fanout

import (
	"runtime"
	"slices"
	"time"
)

// A worker takes a share of the queue and the connections for it, writes all,
// waits for the responses for a moment, and reads what came. What did not come is
// looked for again in its next turns; for what does not come soon a worker waits, on
// that connection alone. One worker of a target at least sleeps, or soon looks at the
// queue: that is enough for an event loop to hand requests to, for workers wake or
// start the others.

const (
	// stallTime is how long the queue of a fast target may stand still before one
	// more worker is woken for it, in nanoseconds.
	stallTime = int64(2 * time.Millisecond)
	// backlogTurns is how many turns' work that waits for a fast target brings it
	// one worker more.
	backlogTurns = 8
)

// cores is how many goroutines send at a time, how many workers a fast target gets
// without a backlog, and how many may sleep without connections: more would only wait
// for a core.
var cores = runtime.GOMAXPROCS(0)

// run is the life of a worker, which has a place among the processors.
func (w *worker) run() {
	t := w.t
	for {
		if c := w.late; c != nil {
			w.late = nil
			w.await(c)
		}
		if w.take() {
			w.send()
		} else if w.late == nil {
			break
		}
	}
	w.t = nil
	t.workers.Put(w)
	t.processors.release()
}

// start lets w run on its own.
func (w *worker) start() {
	t := w.t
	t.running.Go(func() {
		t.processors.acquire()
		w.run()
	})
}

// take waits for work and takes a share of it. False asks the worker to end.
func (w *worker) take() bool {
	t := w.t
	t.mu.Lock()
	for !w.takeOrSleep() {
		if !w.awake {
			t.mu.Unlock()
			return false
		}
	}
	next := t.nextWorker(t.taken)
	t.mu.Unlock()
	next.rouse()
	w.closeExcess()
	w.openConns()
	return true
}

// takeOrSleep does one step of take, and reports whether it took a share. t.mu is
// held, but not all the time.
func (w *worker) takeOrSleep() bool {
	t := w.t
	now := t.now()
	if wait := t.gatherTime(now); wait > 0 {
		w.join()
		w.gather(wait)
		w.gathered = true
		return false
	}
	if len(w.busy) > 0 || w.gathered {
		alone := len(w.busy)+len(w.pending) == 1 && t.queue.n == 0 && len(t.sleepers) > 0
		t.mu.Unlock()
		w.receive(alone)
		t.mu.Lock()
		return false
	}
	w.join()
	if w.stale = t.takeStale(now, w.stale[:0]); len(w.stale) > 0 {
		t.mu.Unlock()
		for i := range w.stale {
			w.results.drop(&w.stale[i], dropStale)
		}
		t.settle(&w.results)
		t.mu.Lock()
		return false
	}
	if wait := t.restTime(now); wait > 0 && len(w.conns) == 0 {
		t.mu.Unlock()
		w.handOverLate()
		t.processors.release()
		time.Sleep(time.Duration(wait))
		t.processors.acquire()
		t.mu.Lock()
		return false
	}
	if w.takeIdle(now) {
		t.mu.Unlock()
		w.check()
		t.mu.Lock()
		return false
	}
	if w.takeShare(now) {
		return true
	}
	if len(w.pending) > 0 {
		t.mu.Unlock()
		w.receivePending()
		t.mu.Lock()
		return false
	}
	if len(w.evicted) > 0 {
		t.mu.Unlock()
		w.closeEvicted()
		t.mu.Lock()
		return false
	}
	if w.late != nil && len(t.sleepers) == 0 && !t.draining {
		t.mu.Unlock()
		w.handOverLate()
		t.mu.Lock()
		return false
	}
	w.sleep(now)
	return false
}

// join counts the worker among those that will look at the queue. t.mu is held.
func (w *worker) join() {
	if !w.awake {
		w.awake = true
		w.t.awake++
	}
	if !w.looking {
		w.looking = true
		w.t.looking++
	}
}

// sleep waits for work with t.mu released, without a buffer or a connection. The
// worker is not awake afterwards if it has something late to wait for, or has to
// end: as many others sleep as there are connections for, or the target drains and
// there is nothing left to do.
func (w *worker) sleep(now int64) {
	t := w.t
	w.putIdle(now)
	turnBuffers.release(&w.buf)
	w.awake, w.looking = false, false
	t.awake--
	t.looking--
	if w.late != nil || t.draining || len(t.sleepers) >= t.maxSleepers() {
		return
	}
	t.sleepers = append(t.sleepers, w)
	t.mu.Unlock()
	t.processors.release()
	<-w.wake
	t.processors.acquire()
	t.mu.Lock()
}

// maxSleepers is how many workers may sleep: those that waited for the connections
// that are idle now are soon wanted again, with the stacks that they have grown.
// t.mu is held.
func (t *target) maxSleepers() int { return max(cores, len(t.idle)) }

// popSurplus takes out the worker that has slept longest, if more sleep than are
// wanted without a backlog. t.mu is held.
func (t *target) popSurplus() *worker {
	if len(t.sleepers) <= cores {
		return nil
	}
	w := t.sleepers[0]
	t.sleepers = slices.Delete(t.sleepers, 0, 1)
	return w
}

// rouse wakes a worker that was taken out of t.sleepers.
func (w *worker) rouse() { w.wake <- struct{}{} }

// sleeper is who takes what is in the queue next: a worker that sleeps, or an
// HTTP/2 connection that waits for bytes. The zero value is nobody.
type sleeper struct {
	worker *worker
	mux    *mux
}

// rouse wakes a sleeper that was taken out of those that wait.
func (s sleeper) rouse() {
	switch {
	case s.worker != nil:
		s.worker.rouse()
	case s.mux != nil:
		s.mux.rouse()
	}
}

// wakeSleeper takes somebody out who waits if the queue wants one, to be roused
// when t.mu, which is held, is released.
func (t *target) wakeSleeper(now int64) sleeper {
	if m := t.wakeMux(now); m != nil {
		return sleeper{mux: m}
	}
	if len(t.sleepers) == 0 || !t.wantsWorker(now) {
		return sleeper{}
	}
	w := t.popSleeper()
	w.join()
	return sleeper{worker: w}
}

// popSleeper takes out the worker that fell asleep last. t.mu is held.
func (t *target) popSleeper() *worker {
	last := len(t.sleepers) - 1
	w := t.sleepers[last]
	t.sleepers[last] = nil
	t.sleepers = t.sleepers[:last]
	return w
}

// nextWorker is wakeSleeper, for workers: it starts one if none sleeps. t.mu is
// held.
func (t *target) nextWorker(now int64) sleeper {
	if s := t.wakeSleeper(now); s != (sleeper{}) || !t.wantsWorker(now) {
		return s
	}
	w := newWorker(t)
	w.join()
	w.start()
	return sleeper{}
}

// wantsWorker reports whether the queue has work for one more worker. A slow
// target keeps none waiting, so a few do for any number of connections; of a fast
// one those that come back take all that gathered in the meantime, and cores that
// run workers are missing for the ACKs. t.mu is held.
func (t *target) wantsWorker(now int64) bool {
	work := t.work(now)
	if work == 0 || !t.hasConn(now) || !t.wantsStreams() {
		return false
	}
	if t.awake == 0 {
		return true
	}
	if !t.pace.fast() {
		return t.looking == 0 && t.awake < cores
	}
	reach := t.reach()
	ahead := work - t.looking*reach
	switch {
	case ahead >= reach:
		return t.awake < cores+ahead/(reach*backlogTurns)
	case t.looking == 0 && now-t.taken > stallTime:
		return t.awake < 2*cores
	}
	return false
}
