package e2e

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mirrorgate/mirrorgate/bench"
	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/readings"
)

// --memory bounds the process: with eight targets that never respond and full
// load of large bodies, it never has more than that and 64 MiB, and every
// request is acknowledged.
func TestMemoryBoundsTheProcess(t *testing.T) {
	const targets, extra = 8, 64 << 20
	duration := 4 * time.Second
	if longRun() {
		duration = time.Minute
	}
	withoutRaceDetector(t)

	f := func(memory, keys string, bytes int64) {
		t.Run(memory+keys, func(t *testing.T) {
			options := []string{"--memory", memory, "--drain", "100ms"}
			for range targets {
				s, err := bench.ListenSink("127.0.0.1:0", bench.SinkHang, 0)
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				options = append(options, "--target", "http://"+s.Addr()+keys)
			}
			a := startAgent(t, options...)
			load := bench.DefaultLoad
			load.Body, load.Warmup, load.Duration = 14_000, 0, duration
			g, err := bench.DialGenerator(context.Background(), a.spop, load)
			if err != nil {
				t.Fatal(err)
			}
			traffic, err := g.Run(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			peak := peakMemory(t, a.process.Process.Pid)
			c := a.counters()
			t.Logf("at most %d MiB in %v, %d requests, %d drops for memory", peak>>20, duration,
				traffic.Acked, c.Count("mirrorgate_target_dropped_total", readings.Of("reason", "memory")))
			if peak > bytes+extra {
				t.Errorf("the process had %d MiB, want at most %d", peak>>20, (bytes+extra)>>20)
			}
			if got := c.Count("mirrorgate_requests_received_total"); got != int64(traffic.Acked) || got == 0 {
				t.Errorf("%d received, %d acknowledged", got, traffic.Acked)
			}
			if limit := c.Count("go_memlimit_bytes"); limit <= bytes || limit >= bytes+extra {
				t.Errorf("Go's memory limit is %d MiB", limit>>20)
			}
			if bytes < 64<<20 && c.Count("mirrorgate_target_dropped_total", readings.Of("reason", "memory")) == 0 {
				t.Errorf("the bound was not met")
			}
			a.stop(t)
		})
	}
	// Targets that share each request hold half of the memory between them; those
	// of a group, which have each their own, all of it.
	const grouped = ",group=g"
	f("32MiB", grouped, 32<<20)
	f("128MiB", grouped, 128<<20)
	if os.Getenv("E2E_LONG") == "1" {
		f("512MiB", grouped, 512<<20)
		f("128MiB", "", 128<<20)
	}
}

// peakMemory is the most that the process had in memory so far, in bytes.
func peakMemory(t *testing.T, pid int) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(status), "VmHWM:")
	kilobytes, err := strconv.ParseInt(strings.Fields(rest + " x")[0], 10, 64)
	if !ok || err != nil {
		t.Fatalf("cannot read the peak: %v\n%s", err, status)
	}
	return kilobytes << 10
}
