package readings

import (
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/mirrorgate/mirrorgate/cmd/internal/haproxy"
	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/logging"
)

var logTime = regexp.MustCompile(`time=\S+ |"time":"[^"]*",`)

func TestEveryMinute(t *testing.T) {
	const (
		received = "mirrorgate_requests_received_total"
		loop     = `mirrorgate_requests_rejected_total{reason="loop"}`
		sentA    = `mirrorgate_target_sent_total{target="a"}`
		sentB    = `mirrorgate_target_sent_total{target="b"}`
		timeout  = `mirrorgate_target_errors_total{target="a",kind="timeout"}`
		fullA    = `mirrorgate_target_dropped_total{target="a",reason="queue_full"}`
		fullB    = `mirrorgate_target_dropped_total{target="b",reason="queue_full"}`
		stale    = `mirrorgate_target_dropped_total{target="b",reason="stale"}`
	)
	type counts map[string]int
	f := func(format string, want []string, minutes ...counts) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			var out haproxy.Output
			set := metrics.NewSet()
			var acks atomic.Int64
			set.RegisterMetricsWriter(func(w io.Writer) {
				fmt.Fprintf(w, "mirrorgate_spop_ack_seconds_bucket{le=\"0.0001\"} %d\nmirrorgate_spop_ack_seconds_bucket{le=\"+Inf\"} %d\n", acks.Load(), acks.Load())
				fmt.Fprintf(w, "mirrorgate_spop_ack_seconds_count %d\n", acks.Load())
			})
			for _, series := range []string{received, loop, sentA, sentB, timeout, fullA, fullB, stale} {
				set.NewCounter(series).Add(1000) // before the first minute
			}
			stop := make(chan struct{})
			l := logging.New(&out, "info", format, set)
			go EveryMinute(set, l.Logger(), stop)
			synctest.Wait()
			for _, minute := range minutes {
				for series, n := range minute {
					set.GetOrCreateCounter(series).Add(n)
				}
				acks.Add(int64(minute[received]))
				time.Sleep(time.Minute)
				synctest.Wait()
			}
			time.Sleep(time.Minute - 1)
			close(stop)
			l.Finish(time.Minute, func(*slog.Logger) {})
			synctest.Wait()
			got := strings.Split(strings.TrimSpace(logTime.ReplaceAllString(out.String(), "")), "\n")
			if strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("it says\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
	f("text", []string{
		`level=INFO msg="last minute" received=100 rejected.loop=1 sent=150 errors.timeout=2 dropped.queue_full=7 dropped.stale=5 ack_p99_ms=0.099`,
		`level=INFO msg="last minute" received=0 sent=0`,
		`level=INFO msg="last minute" received=3 sent=3 ack_p99_ms=0.099`,
	},
		counts{received: 100, loop: 1, sentA: 90, sentB: 60, timeout: 2, fullA: 4, fullB: 3, stale: 5},
		nil,
		counts{received: 3, sentA: 3})
	f("json", []string{
		`{"level":"INFO","msg":"last minute","received":9,"sent":8,"dropped":{"stale":1},"ack_p99_ms":0.099}`,
	}, counts{received: 9, sentA: 8, stale: 1})
}
