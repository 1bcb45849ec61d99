package console

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/admin"
)

// writeStatus writes the figures in 80 columns, unless a name is long.
func writeStatus(w io.Writer, address string, s admin.Stats) {
	state := ""
	if !s.Ready {
		state = ", stopping"
	}
	writeLine(w, "mirrorgate %s at %s, up %v%s, %s", s.Version, address,
		time.Duration(s.Uptime*float64(time.Second)).Round(time.Second), state, s.Time.Local().Format(time.TimeOnly))
	writeLine(w, "received %s/s on %d connections, ACK p50 %s p99 %s",
		shortCount(s.Received.Rate), s.Connections, shortTime(s.ACK.P50), shortTime(s.ACK.P99))
	writeLine(w, "memory %s, payloads %s of %s", shortBytes(s.Memory.Resident), shortBytes(s.Memory.Payload), shortBytes(s.Memory.Limit))
	fmt.Fprintln(w)
	writeTargets(w, s.Groups)
	fmt.Fprintln(w)
	for _, note := range s.Notes {
		writeLine(w, "%s", note.Text)
	}
	for _, g := range s.Groups {
		if g.SampleUntil != nil {
			writeLine(w, "%s: the sample reverts at %s.", g.Name, g.SampleUntil.Local().Format(time.TimeOnly))
		}
		for _, t := range g.Targets {
			if t.TunedUntil != nil {
				writeLine(w, "%s: what is tuned reverts at %s.", t.Name, t.TunedUntil.Local().Format(time.TimeOnly))
			}
			if classes := otherClasses(t.ResponseRate); classes != "" {
				writeLine(w, "%s: responses %s.", t.Name, classes)
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

// otherClasses writes what share of the responses is of which class, unless all
// are 2xx, or it is a recording.
func otherClasses(rates map[string]float64) string {
	total := 0.0
	for _, rate := range rates {
		total += rate
	}
	if total == rates["2xx"]+rates["recorded"] {
		return ""
	}
	var classes []string
	for _, class := range slices.Sorted(maps.Keys(rates)) {
		if rates[class] > 0 {
			classes = append(classes, class+" "+shortShare(rates[class]/total))
		}
	}
	return strings.Join(classes, ", ")
}

// shortDate writes the time of day, and the day if it is not that of now.
func shortDate(t, now time.Time) string {
	t, now = t.Local(), now.Local()
	if t.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return t.Format(time.TimeOnly)
	}
	return t.Format(time.DateTime)
}

// statusRow is a line of the table: a group, a target, or one that is both.
type statusRow [9]string

var statusHead = statusRow{"TARGET", "SAMPLE", "EFFECT", "SENT/S", "P50", "P99", "ERR/S", "DROP/S", "QUEUE"}

func writeTargets(w io.Writer, groups []admin.GroupStats) {
	rows := []statusRow{statusHead}
	for _, g := range groups {
		group := statusRow{g.Name, shortShare(g.Sample), shortShare(g.Effective)}
		if lone := len(g.Targets) == 1 && g.Targets[0].Name == g.Name; !lone {
			rows = append(rows, group)
			group = statusRow{}
		}
		for _, t := range g.Targets {
			row := group
			copy(row[3:], targetFigures(t))
			if row[0] == "" {
				row[0] = "  " + t.Name
			}
			rows = append(rows, row)
		}
	}
	var widths [len(statusRow{})]int
	for _, row := range rows {
		for i, width := range row.widths() {
			widths[i] = max(widths[i], width)
		}
	}
	for _, row := range rows {
		line := fmt.Sprintf("%-*s", widths[0], row[0])
		for i, cell := range row[1:] {
			line += fmt.Sprintf("  %*s", widths[i+1], cell)
		}
		writeLine(w, "%s", strings.TrimRight(line, " "))
	}
}

func (r statusRow) widths() (widths [len(statusRow{})]int) {
	for i, cell := range r {
		widths[i] = len([]rune(cell))
	}
	return widths
}

func targetFigures(t admin.TargetStats) []string {
	errors, drops := 0.0, 0.0
	for _, rate := range t.ErrorRate {
		errors += rate
	}
	for _, rate := range t.DropRate {
		drops += rate
	}
	return []string{
		shortCount(t.Sent.Rate), shortTime(t.Latency.P50), shortTime(t.Latency.P99),
		shortCount(errors), shortCount(drops), fmt.Sprintf("%d/%d", t.Queue, t.QueueLimit),
	}
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
