package e2e

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/mirrorgate/mirrorgate/bench"
	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/readings"
)

// serveBodies responds with bodies of that size.
func serveBodies(t *testing.T, size int) *httptest.Server {
	piece := make([]byte, 64<<10)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(size))
		for left := size; left > 0; left -= len(piece) {
			if _, err := w.Write(piece[:min(left, len(piece))]); err != nil {
				return
			}
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// --memory and 64 MiB is what the process takes also while responses wait for those
// of a target that hangs, be they kept or too large for that. All of it comes back,
// and every request is compared or has a reason why not.
func TestComparedStaysInMemory(t *testing.T) {
	withoutRaceDetector(t)
	const memory, spare = 64 << 20, 64 << 20
	f := func(hanging string, size int) {
		t.Run(fmt.Sprintf("%s hangs, %d kB", hanging, size>>10), func(t *testing.T) {
			targets := map[string]string{"v1": serveBodies(t, size).URL, "v2": serveBodies(t, size).URL}
			targets[hanging] = serveRecorder(t, &recorder{mute: true}).url()
			a := startAgent(t, "--memory", "64MiB", "--timeout", "2s", "--target", "v1="+targets["v1"], "--target", "v2="+targets["v2"]+",against=v1")
			load := bench.DefaultLoad
			load.Rate, load.Warmup, load.Duration = 30, 0, 2*time.Second
			g, err := bench.DialGenerator(context.Background(), a.spop, load)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := g.Run(context.Background()); err != nil {
				t.Fatal(err)
			}
			var now readings.Reading
			eventually(t, "every request is compared or has a reason why not", func() bool {
				now = a.counters()
				against := readings.Of("against", "v1")
				selected := now.Count("mirrorgate_target_selected_total", readings.Target("v2"))
				return selected > 0 && selected == now.Count("mirrorgate_compare_total", against)+
					now.Count("mirrorgate_compare_unpaired_total", readings.Target("v2"))
			})
			eventually(t, "memory comes back", func() bool { return a.counters().Count("mirrorgate_compare_bytes") == 0 })
			if now.Count("mirrorgate_compare_total", readings.Of("against", "v1"), readings.Of("result", "error")) == 0 {
				t.Errorf("none differs: %v", now.By("result", "mirrorgate_compare_total"))
			}
			if peak := peakMemory(t, a.process.Process.Pid); peak > memory+spare {
				t.Errorf("%d MiB at the peak", peak>>20)
			} else {
				t.Logf("%d MiB at the peak, %v, unpaired %v", peak>>20, now.By("result", "mirrorgate_compare_total", readings.Target("v2")), now.By("reason", "mirrorgate_compare_unpaired_total"))
			}
		})
	}
	for _, hanging := range []string{"v1", "v2"} {
		f(hanging, 10<<20)
		f(hanging, 200<<10)
	}
}
