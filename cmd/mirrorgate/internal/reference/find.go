package reference

import (
	"regexp"
	"slices"
	"strings"
)

// About returns what tables say of a word: the rows whose first cell has it in full,
// for a terminal of so many columns. It is empty if none does.
func About(topics []Topic, word string, width int) string {
	word = strings.Trim(strings.ToLower(word), "-=")
	var out []string
	for _, t := range topics {
		found := slices.DeleteFunc(parse(t.Text), func(b block) bool { return b.kind != row || !names(b.texts[0], word) })
		if len(found) > 0 {
			out = append(out, strings.ToUpper(t.Name)+": "+t.Title+"\n\n"+forTerminal(found, width))
		}
	}
	return strings.Join(out, "\n")
}

var separators = regexp.MustCompile(`[^a-z0-9_.-]+`)

// names reports whether a cell is about the word.
func names(cell, word string) bool {
	return word != "" && slices.ContainsFunc(separators.Split(strings.ToLower(plain(cell)), -1), func(w string) bool {
		return strings.Trim(w, "-=") == word
	})
}
