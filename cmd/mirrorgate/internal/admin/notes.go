package admin

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Note is a sentence on what an operator should know first.
type Note struct {
	Level string `json:"level"` // "bad", "warn", "quiet" or "good"
	Text  string `json:"text"`
}

// levels are in the order in which notes are shown.
var levels = []string{"bad", "warn", "quiet", "good"}

// rejectTexts say in words why requests are rejected, and what to look at.
var rejectTexts = map[string]string{
	"malformed":   "they cannot be decoded, or could split or smuggle a request: mirrorgate doctor",
	"truncated":   "HAProxy did not send the whole body: mirrorgate help haproxy, larger bodies",
	"no_body":     "they declare a body, and HAProxy is not to send any",
	"grpc_stream": "they are streams of gRPC, of which HAProxy sends a part: leave them out, see config haproxy --grpc",
	"loop":        "they come back: is a target production, or does one send to it? mirrorgate doctor --config tells",
	"connect":     "CONNECT opens a tunnel",
	"oversize":    "they are beyond a limit: mirrorgate help oversize",
	"aborted":     "HAProxy gave them up",
}

// notesOn says what is wrong, the worst first, or that nothing is.
func notesOn(s *Stats) []Note {
	var notes []Note
	if !s.Ready {
		notes = append(notes, Note{"warn", "Stopping: what is queued is being sent."})
	}
	for _, reason := range positive(s.RejectRate) {
		level := "warn"
		if reason == "loop" {
			level = "bad" // what comes back was done twice
		}
		notes = append(notes, Note{level, fmt.Sprintf("Rejecting %s of what HAProxy sends, as %s: %s.",
			rateAndShare(s.RejectRate[reason], s.Received.Rate), reason, rejectTexts[reason])})
	}
	notes = append(notes, s.traffic()...)
	for i := range s.Groups {
		for j := range s.Groups[i].Targets {
			t := &s.Groups[i].Targets[j]
			notes = append(notes, t.notes()...)
			notes = append(notes, s.classes(t)...)
		}
	}
	if len(notes) == 0 {
		return []Note{{"good", "Every target takes all that is meant for it."}}
	}
	slices.SortStableFunc(notes, func(a, b Note) int { return slices.Index(levels, a.Level) - slices.Index(levels, b.Level) })
	return notes
}

// traffic says that HAProxy sends nothing, or nothing that is understood, and what to
// do next.
func (s *Stats) traffic() []Note {
	var notes []Note
	for _, m := range s.Ignored {
		if m.Recent {
			notes = append(notes, Note{"warn", fmt.Sprintf("Ignoring HAProxy's message %q (%d so far): it carries neither arg_method nor arg_path, but %s.",
				m.Message, m.Total, strings.Join(m.Arguments, ", "))})
		}
	}
	switch {
	case s.Received.Rate > 0:
	case len(notes) > 0:
		notes[0].Level = "bad"
		notes = append(notes, Note{"warn", "No requests from HAProxy that could be mirrored: mirrorgate doctor on its host finds the argument."})
	case s.Connections == 0:
		notes = append(notes, Note{"warn", "No requests and no connection from HAProxy: is its server of this address up? mirrorgate doctor on its host tells."})
	default:
		notes = append(notes, Note{"warn", "No requests from HAProxy, but it is connected: do any meet the condition of its event? mirrorgate doctor on its host tells."})
	}
	return notes
}

// rateAndShare writes a rate, and what part of all it is.
func rateAndShare(rate, all float64) string {
	if all < rate {
		return formatCount(rate) + "/s"
	}
	return fmt.Sprintf("%s/s (%s)", formatCount(rate), formatPercent(rate/all))
}

// formatPercent writes a share with three digits.
func formatPercent(share float64) string { return fmt.Sprintf("%.3g %%", share*100) }

// positive returns the labels whose rate is above 0, in order.
func positive(rates map[string]float64) []string {
	labels := slices.Sorted(maps.Keys(rates))
	return slices.DeleteFunc(labels, func(label string) bool { return rates[label] <= 0 })
}

// formatCount writes a figure as short as can be read at a glance.
func formatCount(v float64) string {
	if v >= 10 || v == float64(int64(v)) {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(max(v, 0.1), 'f', 1, 64)
}

// clock writes the time of day.
func clock(t time.Time) string { return t.Local().Format(time.TimeOnly) }
