package reference

import "strings"

type kind uint8

const (
	heading kind = iota
	paragraph
	item // of a list
	code
	row // of a table
)

// block is a part of a text. A row has its cells, and above it the names of its
// columns; code has its lines; all others have one text.
type block struct {
	kind  kind
	texts []string
	head  []string // of a row
}

const fence = "```"

// parse splits a text of ours into its blocks. It knows what our texts use of
// Markdown, and takes anything else for a paragraph.
func parse(text string) (blocks []block) {
	var open *block // that the next line may belong to
	add := func(k kind, texts ...string) {
		blocks = append(blocks, block{kind: k, texts: texts})
		open = &blocks[len(blocks)-1]
	}
	var head []string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		fenced := open != nil && open.kind == code
		switch {
		case fenced && line == fence:
			open = nil
		case fenced:
			open.texts = append(open.texts, line)
		case strings.HasPrefix(line, fence):
			add(code)
		case strings.HasPrefix(line, "    ") && open == nil:
			add(code, strings.TrimPrefix(line, "    "))
			open = nil
		case strings.HasPrefix(line, "|---"):
			head = blocks[len(blocks)-1].texts
			blocks = blocks[:len(blocks)-1]
		case strings.HasPrefix(line, "|"):
			add(row, cells(line)...)
			open.head = head
		case line == "":
			open, head = nil, nil
		case strings.HasPrefix(line, "#"):
			add(heading, strings.TrimLeft(line, "# "))
			open = nil
		case strings.HasPrefix(line, "- "):
			add(item, strings.TrimPrefix(line, "- "))
		case open != nil:
			open.texts[0] += " " + strings.TrimSpace(line)
		default:
			add(paragraph, line)
		}
	}
	return blocks
}

// cells returns those of a line like | a | b |; \| is no end of one.
func cells(line string) []string {
	const bar = "\x00"
	line = strings.ReplaceAll(strings.TrimSpace(line), `\|`, bar)
	all := strings.Split(strings.Trim(line, "|"), "|")
	for i, c := range all {
		all[i] = strings.ReplaceAll(strings.TrimSpace(c), bar, "|")
	}
	return all
}
