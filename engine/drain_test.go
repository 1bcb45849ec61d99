package engine

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestAwaitQuiet(t *testing.T) {
	f := func(name string, conns int, busy, limit, want time.Duration) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), limit)
			defer cancel()
			start := time.Now()
			notifies := func() uint64 { return uint64(min(time.Since(start), busy) / (10 * time.Millisecond)) }
			awaitQuiet(ctx, func() int { return conns }, notifies)
			if got := time.Since(start); got != want {
				t.Errorf("%s: it took %s, want %s", name, got, want)
			}
		})
	}
	f("no connection", 0, time.Minute, time.Minute, 0)
	f("quiet from the start", 3, 0, time.Minute, time.Second)
	f("busy for 5 s", 3, 5*time.Second, time.Minute, 6*time.Second)
	f("busy for too long", 3, time.Hour, 10*time.Second, 10*time.Second)
}

func TestDrain(t *testing.T) {
	check := func(s *served, want string) {
		t.Helper()
		c := s.dial(t)
		c.send(vectors(t, "rx HAPROXY-HELLO healthcheck")[0])
		c.expect(want)
		_ = c.Close()
	}

	s := serve(t, nil)
	s.greet(t)
	s.Drain(context.Background()) // no health check would notice
	check(s, "disc:13")

	s = serve(t, nil)
	check(s, "hello:256")
	c := s.greet(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	drained := make(chan struct{})
	go func() {
		s.Drain(ctx)
		close(drained)
	}()
	await(t, "the drain to begin", s.policy.draining.Load)
	check(s, "disc:13")
	c.send(notify(1, get("/")))
	c.expect("ack:1:1")
	s.greet(t)
	cancel()
	<-drained
	if got := s.mirror.list(); !slices.Equal(got, []string{"GET /  [] "}) {
		t.Fatalf("submitted %q while draining", got)
	}
}

// Whatever is read before the server disconnects is acknowledged and
// submitted, nothing else is, and every peer is told.
func TestCloseUnderLoad(t *testing.T) {
	s := serve(t, nil)
	acked := make([]int, 20)
	var readers, writers sync.WaitGroup
	for i := range acked {
		c := s.greet(t)
		window, ended := make(chan struct{}, 20), make(chan struct{})
		writers.Go(func() {
			for sid := uint64(0); ; sid++ {
				select {
				case window <- struct{}{}:
				case <-ended:
					return
				}
				if _, err := c.Write(notify(sid, get("/"))); err != nil {
					t.Errorf("cannot write before the DISCONNECT was read: %v", err)
					return
				}
			}
		})
		readers.Go(func() {
			defer close(ended)
			for {
				switch word := c.next(); word {
				case fmt.Sprintf("ack:%d:1", acked[i]):
					acked[i]++
					<-window
				case "disc:0":
					if next := c.next(); next != "EOF" {
						t.Errorf("after the DISCONNECT comes %q", next)
					}
					return
				default:
					t.Errorf("the agent says %q instead of the next ACK or a DISCONNECT", word)
					return
				}
			}
		})
	}
	waiting := s.dial(t) // has not said anything
	await(t, "some load", func() bool { return len(s.mirror.list()) > 10_000 })
	s.shut()
	readers.Wait()
	writers.Wait()
	waiting.expect("EOF")
	total := 0
	for _, n := range acked {
		total += n
	}
	if submitted := len(s.mirror.list()); submitted != total {
		t.Fatalf("%d requests submitted, %d acknowledged", submitted, total)
	}
}

// A peer that does not close keeps Close from waiting no longer than ctx.
func TestCloseGivesUp(t *testing.T) {
	s := serve(t, nil)
	c := s.greet(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s.closed.Do(func() { s.Close(ctx) })
	c.expect("disc:0", "EOF")
}
