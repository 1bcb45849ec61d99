package reference

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Terminal writes the topic for a terminal of so many columns.
func (t Topic) Terminal(width int) string {
	return strings.ToUpper(t.Name) + ": " + t.Title + "\n\n" + forTerminal(parse(t.Text), width)
}

func forTerminal(blocks []block, width int) string {
	var out strings.Builder
	for i, b := range blocks {
		if i > 0 && (b.kind != blocks[i-1].kind || b.kind == paragraph || b.kind == heading) {
			out.WriteString("\n")
		}
		switch b.kind {
		case heading:
			out.WriteString(strings.ToUpper(plain(b.texts[0])) + "\n")
		case code:
			for _, line := range b.texts {
				out.WriteString(strings.TrimRight("      "+line, " ") + "\n")
			}
		case row:
			if i == 0 || blocks[i-1].kind != row {
				out.WriteString("  " + strings.ToUpper(b.head[0]) + "\n")
			}
			writeRow(&out, b, width)
		case item:
			out.WriteString(wrap(plain(b.texts[0]), "  - ", "    ", width))
		default:
			out.WriteString(wrap(plain(b.texts[0]), "  ", "  ", width))
		}
	}
	return out.String()
}

// shortCell is how many columns a cell may have that stands beside the first.
const shortCell = 16

// writeRow writes what the row is about, with the cells that are short beside it, and
// the others below it.
func writeRow(out *strings.Builder, b block, width int) {
	beside, below := cellsOf(b)
	out.WriteString(wrap(beside, "  ", "    ", width))
	for _, text := range below {
		out.WriteString(wrap(text, "        ", "        ", width))
	}
}

// cellsOf returns what the row is about with the cells that are short, and the others.
// A cell has the name of its column, unless it is the last and nothing else is below.
func cellsOf(b block) (beside string, below []string) {
	beside = plain(b.texts[0])
	for i, c := range b.texts[1:] {
		column, last := b.head[i+1], i+2 == len(b.texts)
		switch {
		case c == "":
		case !last && utf8.RuneCountInString(c) < shortCell:
			beside += fmt.Sprintf(" (%s %s)", column, plain(c))
		case last && below == nil || column == "":
			below = append(below, plain(c))
		default:
			below = append(below, column+": "+plain(c))
		}
	}
	return beside, below
}

// wrap breaks a text at blanks, so that no line is longer than width if a word is not.
func wrap(text, first, next string, width int) string {
	var out strings.Builder
	line := first
	for _, word := range strings.Fields(text) {
		if line != first && line != next && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			out.WriteString(line + "\n")
			line = next
		}
		if line != first && line != next {
			line += " "
		}
		line += word
	}
	return out.String() + line + "\n"
}

var markup = regexp.MustCompile("\\[([^\\]]*)\\]\\([^)]*\\)|`([^`]*)`|\\*\\*([^*]*)\\*\\*|\\\\([|*])")

// plain takes the marks of Markdown off.
func plain(text string) string {
	return strings.NewReplacer("&lt;", "<", "&gt;", ">").Replace(markup.ReplaceAllString(text, "$1$2$3$4"))
}
