package console

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/admin"
)

// writeGrid writes rows of cells, the first ones to the left, all others to the right.
// A row of one cell takes what room it needs.
func writeGrid(w io.Writer, rows [][]string) {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			if len(row) > 1 {
				widths[i] = max(widths[i], len([]rune(cell)))
			}
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

// WriteJSON writes a value as indented JSON that does nothing to a terminal.
func WriteJSON(w io.Writer, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		panic("BUG: " + err.Error())
	}
	_, err = w.Write(append(admin.EscapeUnprintable(text), '\n'))
	return err
}
