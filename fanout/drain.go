package fanout

import (
	"context"
	"sync"
)

// Drain ends the Fanout: no request is taken any more, those that wait are sent
// until ctx ends. Then what is still queued is counted as shutdown, what is
// written and unanswered as aborted. When Drain returns, all is counted, all
// connections are closed and all goroutines have ended. Requests that are
// submitted later are counted as shutdown.
func (f *Fanout) Drain(ctx context.Context) {
	f.mu.Lock()
	f.life.draining = true
	f.tunings.end()
	targets := f.targets
	f.mu.Unlock()
	close(f.life.stopTick)
	f.life.ticking.Wait()
	stop := context.AfterFunc(ctx, f.life.hurryUp)
	defer stop()
	var ending sync.WaitGroup
	for _, t := range targets {
		ending.Go(func() { t.end(ctx, dropShutdown) })
	}
	ending.Wait()
	f.life.leaving.Wait()
	f.comparing.finish()
	f.life.hurryUp()
}

// end sends what waits until ctx ends, gives the rest up for that reason, and
// returns when all of the target's goroutines have ended.
func (t *target) end(ctx context.Context, reason dropReason) {
	t.drain(reason)
	ended := make(chan struct{})
	go func() {
		t.running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-ctx.Done():
		t.dropQueue()
	}
	t.abort()
	<-ended
	t.mu.Lock()
	idle := t.removeIdle(func(*conn) bool { return true })
	t.mu.Unlock()
	for _, c := range idle {
		c.close()
	}
}

// drain wakes all workers that sleep: they take what waits, or end. What comes
// from now on is dropped for that reason.
func (t *target) drain(reason dropReason) {
	t.mu.Lock()
	t.draining, t.drainReason = true, reason
	t.breaker.succeed() // what waits gets its last chance
	var sleepers []sleeper
	for _, w := range t.sleepers {
		w.join()
		sleepers = append(sleepers, sleeper{worker: w})
	}
	for _, m := range t.http2.waiting {
		m.waits = false
		sleepers = append(sleepers, sleeper{mux: m})
	}
	t.sleepers, t.http2.waiting = nil, nil
	t.mu.Unlock()
	for _, s := range sleepers {
		s.rouse()
	}
}

// dropQueue gives up what waits, and closes the connections.
func (t *target) dropQueue() {
	t.abort()
	var r results
	for {
		t.mu.Lock()
		if t.queue.n == 0 {
			t.length.Store(0)
			t.mu.Unlock()
			break
		}
		e := t.queue.popFront()
		t.mu.Unlock()
		r.drop(&e, t.drainReason)
	}
	t.settle(&r)
}
