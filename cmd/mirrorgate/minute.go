package main

import (
	"log/slog"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// everyMinute logs one line a minute with the sums since the last one, also
// those of a minute without traffic: no line would mean that mirrorgate is gone.
func everyMinute(set *metrics.Set, log *slog.Logger, stop <-chan struct{}) {
	ticker := time.NewTicker(time.Minute)
	defer ticker.Stop()
	before := readAccounting(set)
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
		}
		now := readAccounting(set)
		now.since(before).logMinute(log)
		before = now
	}
}

// since returns what was counted after before.
func (a accounting) since(before accounting) accounting {
	difference := accounting{}
	for series, v := range a {
		difference[series] = v - before[series]
	}
	return difference
}

func (a accounting) logMinute(log *slog.Logger) {
	attrs := []any{
		"received", a.sum("mirrorgate_requests_received_total"),
		countAttrs("rejected", a.by("reason", "mirrorgate_requests_rejected_total")),
		"sent", a.sum("mirrorgate_target_sent_total"),
		countAttrs("errors", a.by("kind", "mirrorgate_target_errors_total")),
		countAttrs("dropped", a.by("reason", "mirrorgate_target_dropped_total")),
	}
	if p99, ok := a.quantile(.99, "mirrorgate_spop_ack_seconds"); ok {
		attrs = append(attrs, "ack_p99_ms", math.Round(p99*1e6)/1e3)
	}
	log.Info("last minute", attrs...)
}

// quantile estimates a quantile of a histogram without labels as Prometheus
// does: evenly spread inside a bucket, and what is beyond the last bound at that
// bound. It is not ok if nothing was counted.
func (a accounting) quantile(q float64, family string) (value float64, ok bool) {
	type bucket struct{ bound, count float64 }
	var buckets []bucket
	for series, count := range a {
		text, found := strings.CutPrefix(series, family+`_bucket{le="`)
		if bound, err := strconv.ParseFloat(strings.TrimSuffix(text, `"}`), 64); found && err == nil {
			buckets = append(buckets, bucket{bound, count})
		}
	}
	slices.SortFunc(buckets, func(a, b bucket) int {
		if a.bound < b.bound {
			return -1
		}
		return 1
	})
	rank := q * a[family+"_count"]
	if rank == 0 {
		return 0, false
	}
	var below bucket
	for _, b := range buckets {
		switch {
		case b.count < rank:
			below = b
		case math.IsInf(b.bound, 1):
			return below.bound, true
		default:
			return below.bound + (b.bound-below.bound)*(rank-below.count)/(b.count-below.count), true
		}
	}
	return below.bound, true
}
