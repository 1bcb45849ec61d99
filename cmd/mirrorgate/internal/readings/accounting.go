package readings

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
)

// Accepted is how many requests were not rejected.
func (r Reading) Accepted() int64 {
	return r.Count("mirrorgate_requests_received_total") - r.Count("mirrorgate_requests_rejected_total")
}

// Pending is how many requests wait or are in flight.
func (r Reading) Pending() int64 {
	return r.Count("mirrorgate_target_queue_length") + r.Count("mirrorgate_target_inflight")
}

// Mistakes returns a sentence for each sum that does not add up. It is for a
// gateway at rest; groups has the targets of each group.
func (r Reading) Mistakes(groups map[string][]string) []string {
	var found []string
	expect := func(whose, what string, got, want int64) {
		if got != want {
			found = append(found, fmt.Sprintf("%s: %s are %d, should be %d", whose, what, got, want))
		}
	}
	for _, g := range slices.Sorted(maps.Keys(groups)) {
		sum := r.Count("mirrorgate_group_filtered_total", Group(g)) + r.Count("mirrorgate_group_sampled_out_total", Group(g))
		for _, t := range groups[g] {
			sum += r.Count("mirrorgate_target_selected_total", Target(t))
		}
		expect("group "+g, "filtered, sampled out and selected", sum, r.Accepted())
		for _, t := range groups[g] {
			sent := r.Count("mirrorgate_target_sent_total", Target(t))
			dropped := r.Count("mirrorgate_target_dropped_total", Target(t))
			responses := r.Count("mirrorgate_target_responses_total", Target(t))
			errors := r.Count("mirrorgate_target_errors_total", Target(t))
			expect("target "+t, "sent and dropped", sent+dropped, r.Count("mirrorgate_target_selected_total", Target(t)))
			expect("target "+t, "responses and errors", responses+errors, sent)
		}
	}
	return found
}

// Log writes what was received, and what became of it at each target.
func (r Reading) Log(log *slog.Logger) {
	log.Info("requests", "received", r.Count("mirrorgate_requests_received_total"),
		countAttrs("rejected", r.By("reason", "mirrorgate_requests_rejected_total")))
	selected := r.By("target", "mirrorgate_target_selected_total")
	for _, t := range slices.Sorted(maps.Keys(selected)) {
		target := Target(t)
		log.Info("requests", "target", t,
			"selected", selected[t],
			"sent", r.Count("mirrorgate_target_sent_total", target),
			countAttrs("responses", r.By("code", "mirrorgate_target_responses_total", target)),
			countAttrs("errors", r.By("kind", "mirrorgate_target_errors_total", target)),
			countAttrs("dropped", r.By("reason", "mirrorgate_target_dropped_total", target)))
	}
}

// List writes counts like "2xx 10, 5xx 1".
func List(counts map[string]int64) string {
	var items []string
	for _, key := range slices.Sorted(maps.Keys(counts)) {
		items = append(items, fmt.Sprintf("%s %d", key, counts[key]))
	}
	return strings.Join(items, ", ")
}
