package console

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/difference"
)

// maxColumn is how wide the column of the reference is at the most.
const maxColumn = 76

// marks stand in front of lines that differ.
var marks = map[difference.Mark]string{difference.Same: " ", difference.Differs: "!", difference.Ignored: "~"}

// WriteDifferences writes both responses of each example side by side.
func WriteDifferences(w io.Writer, l *difference.List) error {
	var b strings.Builder
	for i := range l.Examples {
		writeDifference(&b, l, &l.Examples[i])
		fmt.Fprintln(&b)
	}
	if len(l.Examples) == 0 {
		writeLine(&b, "No example is kept of a difference between %s and %s.", l.Target, l.Against)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeDifference(w io.Writer, l *difference.List, d *difference.Difference) {
	writeLine(w, "%s %s", d.Method, d.Target)
	writeLine(w, "%s, %s differs in %s", d.Time.Local().Format(time.DateTime), d.Route, strings.Join(d.Names, ", "))
	rows := append([]difference.Row{
		{Against: l.Against, Mirror: l.Target, Mark: difference.Same},
		{Against: took(d.Against.Seconds), Mirror: took(d.Mirror.Seconds), Mark: difference.Same},
	}, d.Rows...)
	width := 0
	for _, r := range rows {
		width = max(width, min(len([]rune(r.Against)), maxColumn))
	}
	for _, r := range rows {
		writeLine(w, "%s", strings.TrimRight(fmt.Sprintf("%s %-*s  %s", marks[r.Mark], width, r.Against, r.Mirror), " "))
	}
	writeLine(w, "%s", d.Curl)
}

func took(seconds float64) string {
	if seconds == 0 {
		return ""
	}
	return "after " + shortTime(&seconds)
}
