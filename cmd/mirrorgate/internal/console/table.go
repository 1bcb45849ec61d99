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
	fmt.Fprintf(w, "mirrorgate %s at %s, up %v%s, %s\n", admin.Printable(s.Version), address,
		time.Duration(s.Uptime*float64(time.Second)).Round(time.Second), state, s.Time.Local().Format(time.TimeOnly))
	fmt.Fprintf(w, "received %s/s on %d connections, ACK p50 %s p99 %s\n",
		shortCount(s.Received.Rate), s.Connections, shortTime(s.ACK.P50), shortTime(s.ACK.P99))
	fmt.Fprintf(w, "memory %s, payloads %s of %s\n\n", shortBytes(s.Memory.Resident), shortBytes(s.Memory.Payload), shortBytes(s.Memory.Limit))
	writeTargets(w, s.Groups)
	fmt.Fprintln(w)
	for _, note := range s.Notes {
		fmt.Fprintln(w, admin.Printable(note.Text))
	}
	for _, g := range s.Groups {
		if g.SampleUntil != nil {
			fmt.Fprintf(w, "%s: the sample reverts at %s.\n", admin.Printable(g.Name), g.SampleUntil.Local().Format(time.TimeOnly))
		}
		for _, t := range g.Targets {
			if t.TunedUntil != nil {
				fmt.Fprintf(w, "%s: what is tuned reverts at %s.\n", admin.Printable(t.Name), t.TunedUntil.Local().Format(time.TimeOnly))
			}
			if classes := otherClasses(t.ResponseRate); classes != "" {
				fmt.Fprintf(w, "%s: responses %s.\n", t.Name, classes)
			}
			if f := t.LastFailure; f != nil {
				fmt.Fprintf(w, "%s: last failure %s (%s since %s)\n  %s: %s\n", t.Name,
					shortDate(f.Last, s.Time), f.Kind, shortDate(f.Since, s.Time), t.URL, f.Reason)
			}
		}
	}
}

// otherClasses writes what share of the responses is of which class, unless all
// are 2xx.
func otherClasses(rates map[string]float64) string {
	total := 0.0
	for _, rate := range rates {
		total += rate
	}
	if total == rates["2xx"] {
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
		group := statusRow{admin.Printable(g.Name), shortShare(g.Sample), shortShare(g.Effective)}
		if lone := len(g.Targets) == 1 && g.Targets[0].Name == g.Name; !lone {
			rows = append(rows, group)
			group = statusRow{}
		}
		for _, t := range g.Targets {
			row := group
			copy(row[3:], targetFigures(t))
			if row[0] == "" {
				row[0] = "  " + admin.Printable(t.Name)
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
		fmt.Fprintln(w, strings.TrimRight(line, " "))
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
