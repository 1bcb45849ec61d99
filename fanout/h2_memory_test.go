//go:build !race

// The race detector has memory of its own for each goroutine.

package fanout

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
)

// An HTTP/2 connection that waits costs no more than it is reckoned at, streams
// included.
func TestHTTP2ConnectionBytes(t *testing.T) {
	f := func(streams int) {
		t.Helper()
		const targets = 128
		specs := make([]string, targets)
		for i := range specs {
			specs[i] = fmt.Sprintf("%s,batch=%d,timeout=10m,max-age=10m", strings.Replace(listenDeaf(t), "http:", "h2c:", 1), streams)
		}
		fan := newFanout(t, nil, specs...)
		defer func() {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			fan.Drain(ctx)
			checkSums(t, fan)
		}()
		before := inUse()
		fan.Submit(requests("GET /"))
		eventually(t, "all connections", func() bool {
			standing := 0
			for _, tg := range fan.targets {
				tg.mu.Lock()
				if tg.http2.room == promised && tg.queue.n == 0 {
					standing++
				}
				tg.mu.Unlock()
			}
			return standing == targets
		})
		least := int64(math.MaxInt64)
		for range 5 { // what opened a connection may not have ended yet
			least = min(least, (inUse()-before-fan.memory.payloads.Load())/targets)
		}
		reckoned := fan.targets[0].connectionBytes()
		t.Logf("%d streams: %d bytes for each of %d connections, reckoned at %d", streams, least, targets, reckoned)
		if least > reckoned {
			t.Errorf("%d streams: a connection costs %d bytes, and is reckoned at %d", streams, least, reckoned)
		}
	}
	f(1)
	f(64)
	f(1024)
}
