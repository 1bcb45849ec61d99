package bench

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// Requests come to an idle sink at intervals; awaitDeliveries has to see them all, and
// to end as soon as nothing can follow.
func TestAwaitDeliveries(t *testing.T) {
	f := func(name string, every time.Duration, come, acked uint64, cfg SinkConfig, want time.Duration, fails bool) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			all := sinks{new(Sink), new(Sink)}
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				for range come {
					if wait(ctx, every) != nil {
						return
					}
					all[1].requests.Add(1)
				}
			}()
			start := time.Now()
			err := all.awaitDeliveries(ctx, acked, cfg)
			if took := time.Since(start).Truncate(100 * time.Millisecond); took != want || (err != nil) != fails {
				t.Errorf("%s: %v after %s", name, err, took)
			}
			cancel()
		})
	}
	ok := SinkConfig{Mode: SinkOK}
	slow := SinkConfig{Mode: SinkDelay, Delay: time.Second}
	f("nothing to wait for", time.Second, 0, 0, ok, 100*time.Millisecond, false)
	f("all comes", 900*time.Millisecond, 4, 2, ok, 3700*time.Millisecond, false)
	f("some are missing", 900*time.Millisecond, 4, 5, ok, 4600*time.Millisecond, false)
	f("too slow for ok", 2*time.Second, 4, 2, ok, time.Second, false)
	f("slow, but that is known", 2*time.Second, 4, 2, slow, 8100*time.Millisecond, false)
	f("more than was acknowledged", 50*time.Millisecond, 10, 1, ok, 600*time.Millisecond, false)
	f("no end", 500*time.Millisecond, 1000, 1000, ok, time.Minute, true)
}

func TestAwaitDeliveriesEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	dead := errors.New("dead")
	cancel(dead)
	if err := (sinks{new(Sink)}).awaitDeliveries(ctx, 1, SinkConfig{}); err != dead {
		t.Errorf("got %v", err)
	}
}
