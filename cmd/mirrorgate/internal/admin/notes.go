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
	Level string `json:"level"` // "good", "quiet", "warn" or "bad"
	Text  string `json:"text"`
}

// dropTexts say in words why a target drops requests.
var dropTexts = map[string]string{
	"paused":     "it is paused",
	"breaker":    "its breaker is open",
	"rate":       "they are over its rate",
	"memory":     "--memory is used up",
	"queue_full": "its queue is full",
	"shed":       "its queue is filling",
	"stale":      "they waited longer than max-age",
	"dial":       "it cannot be reached",
	"tls":        "TLS fails",
	"disk":       "the disk is full",
	"io":         "its files cannot be written",
	"shutdown":   "mirrorgate stops",
	"removed":    "it was removed",
}

// responseTexts name the classes of responses that an operator should know of.
var responseTexts = map[string]string{"5xx": "5xx", "other": "a status code above 599"}

// notesOn says what is wrong, or that nothing is. rejected is by reason, for
// each second.
func notesOn(s *Stats, rejected map[string]float64) []Note {
	var notes []Note
	if !s.Ready {
		notes = append(notes, Note{"warn", "Stopping: what is queued is being sent."})
	}
	eachRate(rejected, func(reason string, rate string) {
		notes = append(notes, Note{"warn", fmt.Sprintf("Rejecting %s/s of what HAProxy sends: %s.", rate, reason)})
	})
	for i := range s.Groups {
		for j := range s.Groups[i].Targets {
			notes = append(notes, s.Groups[i].Targets[j].notes()...)
		}
	}
	switch {
	case len(notes) > 0:
		return notes
	case s.Received.Rate == 0:
		return []Note{{"quiet", "No requests from HAProxy at present."}}
	}
	return []Note{{"good", "Every target takes all that is meant for it."}}
}

func (t *TargetStats) notes() []Note {
	var notes []Note
	level := "warn"
	if t.BreakerOpen {
		level = "bad"
	}
	if text := t.drops(); text != "" {
		notes = append(notes, Note{level, text})
	}
	switch {
	case len(notes) > 0:
	case t.BreakerOpen:
		notes = append(notes, Note{level, t.Name + ": its breaker is open."})
	case t.Paused:
		notes = append(notes, Note{level, t.Name + " is paused."})
	}
	eachRate(t.ErrorRate, func(kind, rate string) {
		notes = append(notes, Note{"bad", fmt.Sprintf("%s fails %s/s: %s.", t.Name, rate, kind)})
	})
	eachRate(t.ResponseRate, func(class, rate string) {
		if text := responseTexts[class]; text != "" {
			notes = append(notes, Note{"warn", fmt.Sprintf("%s answers %s/s with %s.", t.Name, rate, text)})
		}
	})
	if rate := t.CompareRate["differs"] + t.CompareRate["mirror_5xx"]; rate > 0 {
		notes = append(notes, Note{"warn", fmt.Sprintf("%s answers %s/s unlike production: see /api/differences.", t.Name, formatCount(rate))})
	}
	if t.Single {
		until := "the next reload"
		if t.SingleUntil != nil {
			until = t.SingleUntil.Local().Format(time.TimeOnly)
		}
		notes = append(notes, Note{"warn", fmt.Sprintf("%s does not pipeline: it gets one request at a time until %s.", t.Name, until)})
	}
	return notes
}

// drops says how much the target drops and why, nothing if it does not.
func (t *TargetStats) drops() string {
	total := 0.0
	var reasons, single []string
	eachRate(t.DropRate, func(reason, rate string) {
		total += t.DropRate[reason]
		single = append(single, dropTexts[reason])
		reasons = append(reasons, fmt.Sprintf("%s (%s/s)", dropTexts[reason], rate))
	})
	switch len(reasons) {
	case 0:
		return ""
	case 1:
		reasons = single
	}
	return fmt.Sprintf("%s drops %s/s: %s.", t.Name, formatCount(total), strings.Join(reasons, ", "))
}

func eachRate(rates map[string]float64, f func(label, rate string)) {
	for _, label := range slices.Sorted(maps.Keys(rates)) {
		if rates[label] > 0 {
			f(label, formatCount(rates[label]))
		}
	}
}

// formatCount writes a figure as short as can be read at a glance.
func formatCount(v float64) string {
	if v >= 10 || v == float64(int64(v)) {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(max(v, 0.1), 'f', 1, 64)
}
