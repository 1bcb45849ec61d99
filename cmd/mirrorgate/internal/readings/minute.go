package readings

import (
	"log/slog"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// EveryMinute logs, until stop is closed, one line a minute with the sums since the last one, also
// those of a minute without traffic: no line would mean that mirrorgate is gone.
func EveryMinute(set *metrics.Set, log *slog.Logger, stop <-chan struct{}) {
	ticker := time.NewTicker(time.Minute)
	defer ticker.Stop()
	before := Read(set)
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
		}
		now := Read(set)
		now.Since(before).logMinute(log)
		before = now
	}
}

func (minute Growth) logMinute(log *slog.Logger) {
	attrs := []any{
		"received", minute.Count("mirrorgate_requests_received_total"),
		countAttrs("rejected", minute.By("reason", "mirrorgate_requests_rejected_total")),
		"sent", minute.Count("mirrorgate_target_sent_total"),
		countAttrs("errors", minute.By("kind", "mirrorgate_target_errors_total")),
		countAttrs("dropped", minute.By("reason", "mirrorgate_target_dropped_total")),
	}
	if p99 := minute.Quantile(.99, "mirrorgate_spop_ack_seconds"); !math.IsNaN(p99) {
		attrs = append(attrs, "ack_p99_ms", math.Round(p99*1e6)/1e3)
	}
	log.Info("last minute", attrs...)
}

// countAttrs is empty, and so not logged, if there are no counts.
func countAttrs(what string, counts map[string]int64) slog.Attr {
	var attrs []any
	for _, key := range slices.Sorted(maps.Keys(counts)) {
		attrs = append(attrs, slog.Int64(key, counts[key]))
	}
	return slog.Group(what, attrs...)
}
