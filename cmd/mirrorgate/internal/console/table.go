package console

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/admin"
)

// writeStatus writes what each host says of itself, what is wrong, and the figures of
// all targets, for a width of so many columns: notes are wrapped, the table is as wide
// as it is.
func writeStatus(w io.Writer, hosts []instance, width int) {
	for _, h := range hosts {
		writeHost(w, h)
	}
	fmt.Fprintln(w)
	for _, h := range hosts {
		for _, note := range h.stats.Notes {
			text := note.Text
			if len(hosts) > 1 {
				text = h.address + ": " + text
			}
			writeNote(w, note.Level, text, width)
		}
	}
	fmt.Fprintln(w)
	writeTargets(w, merge(hosts))
	fmt.Fprintln(w)
	for _, h := range hosts {
		writeDetails(w, h.stats)
	}
}

func writeHost(w io.Writer, h instance) {
	if h.err != nil {
		for line := range strings.SplitSeq(h.err.Error(), "; ") {
			writeLine(w, "%s", line)
		}
		return
	}
	s, state := h.stats, ""
	if !s.Ready {
		state = ", stopping"
	}
	writeLine(w, "mirrorgate %s at %s, up %v%s, %s", s.Version, h.address,
		time.Duration(s.Uptime*float64(time.Second)).Round(time.Second), state, s.Time.Local().Format(time.TimeOnly))
	writeLine(w, "received %s/s on %d connections, ACK p50 %s p99 %s",
		shortCount(s.Received.Rate), s.Connections, shortTime(s.ACK.P50), shortTime(s.ACK.P99))
	writeLine(w, "memory %s, payloads %s of %s", shortBytes(s.Memory.Resident), shortBytes(s.Memory.Payload), shortBytes(s.Memory.Limit))
}

// levelMarks stand in front of notes of a level.
var levelMarks = map[string]string{"bad": "!! ", "warn": "!  "}

// writeNote writes a note in as many lines as it takes.
func writeNote(w io.Writer, level, text string, width int) {
	line := cmp.Or(levelMarks[level], "   ")
	empty := true
	for _, word := range strings.Fields(admin.Printable(text)) {
		if !empty && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			fmt.Fprintln(w, line)
			line, empty = "   ", true
		}
		if !empty {
			line += " "
		}
		line, empty = line+word, false
	}
	fmt.Fprintln(w, line)
}

// writeDetails writes what the table has no room for.
func writeDetails(w io.Writer, s admin.Stats) {
	for _, g := range s.Groups {
		if g.SampleUntil != nil {
			writeLine(w, "%s: the sample reverts at %s.", g.Name, g.SampleUntil.Local().Format(time.TimeOnly))
		}
		for _, t := range g.Targets {
			if t.TunedUntil != nil {
				writeLine(w, "%s: what is tuned reverts at %s.", t.Name, t.TunedUntil.Local().Format(time.TimeOnly))
			}
			if f := t.LastFailure; f != nil {
				writeLine(w, "%s: last failure %s (%s since %s)", t.Name, shortDate(f.Last, s.Time), f.Kind, shortDate(f.Since, s.Time))
				writeLine(w, "  %s: %s", t.URL, f.Reason)
			}
		}
	}
}

// writeLine writes a line. What it says may come from whatever answers at the admin
// address, and is to do nothing to the terminal.
func writeLine(w io.Writer, format string, args ...any) {
	fmt.Fprintln(w, admin.Printable(fmt.Sprintf(format, args...)))
}

// classShares writes what share of the responses is of which class: of all if that is
// one class, else of those that are not 2xx, the largest first.
func classShares(rates map[string]float64) string {
	all := 0.0
	var classes []string
	for _, class := range slices.Sorted(maps.Keys(rates)) {
		if rates[class] > 0 {
			all += rates[class]
			classes = append(classes, class)
		}
	}
	if len(classes) < 2 {
		return cmp.Or(strings.Join(classes, ""), "-")
	}
	classes = slices.DeleteFunc(classes, func(class string) bool { return class == "2xx" })
	slices.SortStableFunc(classes, func(a, b string) int { return cmp.Compare(rates[b], rates[a]) })
	for i, class := range classes {
		classes[i] = class + " " + shortShare(rates[class]/all)
	}
	return strings.Join(classes, " ")
}

// shortDate writes the time of day, and the day if it is not that of now.
func shortDate(t, now time.Time) string {
	t, now = t.Local(), now.Local()
	if t.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return t.Format(time.TimeOnly)
	}
	return t.Format(time.DateTime)
}

var statusHead = []string{"TARGET", "SAMPLE", "EFFECT", "SENT/S", "P50", "P99", "CLASS", "ERR", "DROP", "QUEUE"}

// writeTargets has a line for each group, target, or one that is both.
func writeTargets(w io.Writer, groups []admin.GroupStats) {
	rows := [][]string{statusHead}
	for _, g := range groups {
		group := []string{g.Name, shortShare(g.Sample), shortShare(g.Effective)}
		if lone := len(g.Targets) == 1 && g.Targets[0].Name == g.Name; lone {
			rows = append(rows, append(group, targetFigures(g.Targets[0])...))
			continue
		}
		rows = append(rows, group)
		for _, t := range g.Targets {
			rows = append(rows, append([]string{"  " + t.Name, "", ""}, targetFigures(t)...))
		}
	}
	writeGrid(w, rows)
}

func targetFigures(t admin.TargetStats) []string {
	return []string{
		shortCount(t.Sent.Rate), shortTime(t.Latency.P50), shortTime(t.Latency.P99), classShares(t.ResponseRate),
		partOf(t.ErrorRate, t.Sent.Rate), partOf(t.DropRate, t.Selected.Rate), fmt.Sprintf("%d/%d", t.Queue, t.QueueLimit),
	}
}

// partOf writes what part of all the rates are; of what was there before, which is more
// than all, only how much it is.
func partOf(rates map[string]float64, all float64) string {
	part := 0.0
	for _, rate := range rates {
		part += rate
	}
	switch {
	case part == 0:
		return "0"
	case part > all:
		return shortCount(part) + "/s"
	}
	return shortShare(part / all)
}

// The figures of a table are as short as can be read at a glance.

func shortCount(v float64) string {
	switch {
	case v >= 1e6:
		return digits(v/1e6) + "M"
	case v >= 1e4:
		return digits(v/1e3) + "k"
	case v >= 10 || v == 0:
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'f', 1, 64)
}

func shortTime(seconds *float64) string {
	switch {
	case seconds == nil:
		return "-"
	case *seconds < 1e-3:
		return digits(*seconds*1e6) + "µs"
	case *seconds < 1:
		return digits(*seconds*1e3) + "ms"
	}
	return digits(*seconds) + "s"
}

func shortBytes(n int64) string {
	v, unit := float64(n), "B"
	for _, next := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if v < 1000 {
			break
		}
		v, unit = v/1024, next
	}
	return digits(v) + unit
}

func shortShare(v float64) string { return strconv.FormatFloat(v*100, 'g', 3, 64) + "%" }

// digits writes three of them.
func digits(v float64) string {
	switch {
	case v >= 99.95 || v == float64(int64(v)):
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 9.995:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}
