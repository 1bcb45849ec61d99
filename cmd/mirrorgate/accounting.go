package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/VictoriaMetrics/metrics"
)

// accounting are the counters of one moment, by series as /metrics writes them.
type accounting map[string]float64

// readAccounting takes the counters of a set.
func readAccounting(set *metrics.Set) accounting {
	var b bytes.Buffer
	set.WritePrometheus(&b)
	return parseAccounting(&b)
}

// parseAccounting reads a page of /metrics.
func parseAccounting(r io.Reader) accounting {
	a := accounting{}
	for lines := bufio.NewScanner(r); lines.Scan(); {
		line := lines.Text()
		at := strings.LastIndexByte(line, ' ')
		if at < 0 || line[0] == '#' {
			continue
		}
		if v, err := strconv.ParseFloat(line[at+1:], 64); err == nil {
			a[line[:at]] = v
		}
	}
	return a
}

// sum adds the series of the family that have all the labels; a label is
// written like target="a".
func (a accounting) sum(family string, labels ...string) int64 {
	total := 0.0
	for series, v := range a {
		if matches(series, family, labels) {
			total += v
		}
	}
	return int64(total)
}

func matches(series, family string, labels []string) bool {
	name, rest, _ := strings.Cut(series, "{")
	if name != family {
		return false
	}
	for _, label := range labels {
		if !strings.Contains(rest, label) {
			return false
		}
	}
	return true
}

// by returns the values above 0 by the label with that key, of the series that
// have the other labels.
func (a accounting) by(key, family string, labels ...string) map[string]int64 {
	values := map[string]int64{}
	for series, v := range a {
		_, after, ok := strings.Cut(series, key+`="`)
		if ok && v > 0 && matches(series, family, labels) {
			value, _, _ := strings.Cut(after, `"`)
			values[value] += int64(v)
		}
	}
	return values
}

func targetLabel(name string) string { return fmt.Sprintf("target=%q", name) }
func groupLabel(name string) string  { return fmt.Sprintf("group=%q", name) }

// accepted is how many requests were not rejected.
func (a accounting) accepted() int64 {
	return a.sum("mirrorgate_requests_received_total") - a.sum("mirrorgate_requests_rejected_total")
}

// pending is how many requests wait or are in flight.
func (a accounting) pending() int64 {
	return a.sum("mirrorgate_target_queue_length") + a.sum("mirrorgate_target_inflight")
}

// mistakes returns a sentence for each sum that does not add up. It is for a
// gateway at rest; groups has the targets of each group.
func (a accounting) mistakes(groups map[string][]string) []string {
	var found []string
	expect := func(whose, what string, got, want int64) {
		if got != want {
			found = append(found, fmt.Sprintf("%s: %s are %d, should be %d", whose, what, got, want))
		}
	}
	for _, g := range slices.Sorted(maps.Keys(groups)) {
		label := groupLabel(g)
		sum := a.sum("mirrorgate_group_filtered_total", label) + a.sum("mirrorgate_group_sampled_out_total", label)
		for _, t := range groups[g] {
			sum += a.sum("mirrorgate_target_selected_total", targetLabel(t))
		}
		expect("group "+g, "filtered, sampled out and selected", sum, a.accepted())
		for _, t := range groups[g] {
			label := targetLabel(t)
			sent := a.sum("mirrorgate_target_sent_total", label)
			dropped := a.sum("mirrorgate_target_dropped_total", label)
			responses := a.sum("mirrorgate_target_responses_total", label)
			errors := a.sum("mirrorgate_target_errors_total", label)
			expect("target "+t, "sent and dropped", sent+dropped, a.sum("mirrorgate_target_selected_total", label))
			expect("target "+t, "responses and errors", responses+errors, sent)
		}
	}
	return found
}

// log writes what was received, and what became of it at each target.
func (a accounting) log(log *slog.Logger) {
	log.Info("requests", "received", a.sum("mirrorgate_requests_received_total"),
		countAttrs("rejected", a.by("reason", "mirrorgate_requests_rejected_total")))
	for _, t := range slices.Sorted(maps.Keys(a.by("target", "mirrorgate_target_selected_total"))) {
		label := targetLabel(t)
		log.Info("requests", "target", t,
			"selected", a.sum("mirrorgate_target_selected_total", label),
			"sent", a.sum("mirrorgate_target_sent_total", label),
			countAttrs("responses", a.by("code", "mirrorgate_target_responses_total", label)),
			countAttrs("errors", a.by("kind", "mirrorgate_target_errors_total", label)),
			countAttrs("dropped", a.by("reason", "mirrorgate_target_dropped_total", label)))
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

// inBrackets writes counts like " (2xx 10, timeout 1)", nothing if there is none.
func inBrackets(what string, counts map[string]int64) string {
	if len(counts) == 0 {
		return ""
	}
	return " (" + what + listCounts(counts) + ")"
}

func listCounts(counts map[string]int64) string {
	var items []string
	for _, key := range slices.Sorted(maps.Keys(counts)) {
		items = append(items, fmt.Sprintf("%s %d", key, counts[key]))
	}
	return strings.Join(items, ", ")
}
