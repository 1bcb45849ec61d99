package fanout

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
)

// While as many send as there are cores, a worker that was woken waits for its
// turn, and Submit waits for nobody.
func TestNoWorkerBeyondTheCores(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFanout(t, nil, nobody)
		tg := f.targets[0]
		synctest.Wait()
		for range cores {
			tg.processors.acquire()
		}
		f.Submit(requests("GET /1", "GET /2"))
		synctest.Wait()
		if n := tg.length.Load(); n != 2 {
			t.Errorf("%d of 2 requests wait", n)
		}
		tg.answerQueued(2)
		for range cores {
			tg.processors.release()
		}
		drain(t, f)
	})
}

// Who waits for a response takes no place from others. Afterwards there are no more
// workers than there are idle connections, and without those as many as cores.
func TestWaitingTakesNoPlace(t *testing.T) {
	const n = 12
	var arrived sync.WaitGroup
	arrived.Add(n)
	respond := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		arrived.Done()
		<-respond
	}))
	defer server.Close()
	f := newFanout(t, nil, server.URL)
	tg := f.targets[0]
	f.Submit(requests(slices.Repeat([]string{"GET /"}, n)...))
	arrived.Wait()
	eventually(t, "all workers to wait", func() bool { return len(tg.processors) == 0 })
	close(respond)
	eventually(t, "all responses", func() bool { return tg.metrics.responses[1].Get() == n })
	asleep := func() (sleepers, idle, awake int) {
		tg.mu.Lock()
		defer tg.mu.Unlock()
		return len(tg.sleepers), len(tg.idle), tg.awake
	}
	eventually(t, "all workers to sleep", func() bool {
		sleepers, idle, awake := asleep()
		return idle == n && awake == 0 && sleepers > cores && sleepers <= n
	})
	tg.tick(f.now() + idleTime + 1)
	for range n {
		tg.tick(f.now())
	}
	eventually(t, "those that are too many to end", func() bool {
		sleepers, idle, awake := asleep()
		return sleepers == cores && idle == 0 && awake == 0
	})
	drain(t, f)
}
