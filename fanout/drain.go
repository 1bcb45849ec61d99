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
	close(f.stopTick)
	f.ticking.Wait()
	var lanes sync.WaitGroup
	for _, t := range f.targets {
		t.drain()
		lanes.Go(t.running.Wait)
	}
	empty := make(chan struct{})
	go func() {
		lanes.Wait()
		close(empty)
	}()
	select {
	case <-empty:
	case <-ctx.Done():
		for _, t := range f.targets {
			t.dropQueue()
		}
	}
	for _, t := range f.targets {
		t.abort()
	}
	<-empty
}

// drain wakes all idle lanes: they take what waits, or end.
func (t *target) drain() {
	t.mu.Lock()
	t.draining = true
	t.breaker.succeed() // what waits gets its last chance
	idle := t.idle
	t.idle = nil
	wake := t.ring(t.f.now())
	t.mu.Unlock()
	wake.all()
	for _, l := range idle {
		l.wake <- struct{}{}
	}
}

// dropQueue gives up what waits, and closes the connections.
func (t *target) dropQueue() {
	t.abort()
	var o outcome
	t.mu.Lock()
	for t.queue.n > 0 {
		o.drop(t.queue.popFront(), dropShutdown)
	}
	t.length.Store(0)
	t.mu.Unlock()
	t.settle(&o)
}
