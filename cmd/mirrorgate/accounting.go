package main

import (
	"log/slog"
	"maps"
	"slices"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/readings"
)

// logAccounting writes what was received, and what became of it at each target.
func logAccounting(r readings.Reading, log *slog.Logger) {
	log.Info("requests", "received", r.Count("mirrorgate_requests_received_total"),
		countAttrs("rejected", r.By("reason", "mirrorgate_requests_rejected_total")))
	selected := r.By("target", "mirrorgate_target_selected_total")
	for _, t := range slices.Sorted(maps.Keys(selected)) {
		target := readings.Target(t)
		log.Info("requests", "target", t,
			"selected", selected[t],
			"sent", r.Count("mirrorgate_target_sent_total", target),
			countAttrs("responses", r.By("code", "mirrorgate_target_responses_total", target)),
			countAttrs("errors", r.By("kind", "mirrorgate_target_errors_total", target)),
			countAttrs("dropped", r.By("reason", "mirrorgate_target_dropped_total", target)))
	}
}

// countAttrs is empty, and so not logged, if there are no counts.
func countAttrs(what string, counts map[string]int64) slog.Attr {
	var attrs []any
	for _, key := range slices.Sorted(maps.Keys(counts)) {
		attrs = append(attrs, slog.Int64(key, counts[key]))
	}
	return slog.Group(what, attrs...)
}
