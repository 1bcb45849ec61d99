package admin

import (
	"fmt"
	"strings"
)

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
	"broker":     "no broker of Kafka takes them",
	"io":         "its files cannot be written",
	"shutdown":   "mirrorgate stops",
	"removed":    "it was removed",
}

// notes say what is wrong with the target.
func (t *TargetStats) notes() []Note {
	var notes []Note
	level := "warn"
	if t.BreakerOpen {
		level = "bad"
	}
	text := t.drops()
	switch {
	case text != "":
	case t.BreakerOpen:
		text = t.Name + ": its breaker is open" + t.lastReason("") + "."
	case t.Paused:
		text = t.Name + " is paused" + t.pausedUntil() + "."
	}
	if text != "" {
		notes = append(notes, Note{level, text})
	}
	for _, kind := range positive(t.ErrorRate) {
		notes = append(notes, Note{"bad", fmt.Sprintf("%s fails with %s of its requests: %s%s.", t.Name,
			rateAndShare(t.ErrorRate[kind], t.Sent.Rate), kind, t.lastReason(kind))})
	}
	notes = append(notes, t.comparing()...)
	if t.Single {
		until := "the next reload"
		if t.SingleUntil != nil {
			until = clock(*t.SingleUntil)
		}
		notes = append(notes, Note{"warn", fmt.Sprintf("%s does not pipeline: it gets one request at a time until %s.", t.Name, until)})
	}
	return notes
}

// drops says how much the target drops and why, nothing if it does not.
func (t *TargetStats) drops() string {
	total := 0.0
	var reasons, single []string
	for _, reason := range positive(t.DropRate) {
		total += t.DropRate[reason]
		text := dropTexts[reason]
		switch reason {
		case "breaker":
			if t.DropRate["dial"]+t.DropRate["tls"] == 0 { // else they say it
				text += t.lastReason("")
			}
		case "dial", "tls":
			text += t.lastReason(reason)
		case "paused":
			text += t.pausedUntil()
		}
		single = append(single, text)
		reasons = append(reasons, fmt.Sprintf("%s (%s/s)", text, formatCount(t.DropRate[reason])))
	}
	switch len(reasons) {
	case 0:
		return ""
	case 1:
		reasons = single
	}
	return fmt.Sprintf("%s drops %s of its requests: %s.", t.Name, rateAndShare(total, t.Selected.Rate), strings.Join(reasons, ", "))
}

// lastReason says how the target failed last and since when, if that was of this kind,
// or of any if kind is empty.
func (t *TargetStats) lastReason(kind string) string {
	f := t.LastFailure
	if f == nil || kind != "" && f.Kind != kind {
		return ""
	}
	return fmt.Sprintf(" (%s, since %s)", f.Reason, clock(f.Since))
}

func (t *TargetStats) pausedUntil() string {
	if t.PausedUntil == nil {
		return ""
	}
	return " until " + clock(*t.PausedUntil)
}
