package admin

import (
	"strings"
	"unicode"
)

// Printable returns a text of somebody else for a terminal: what is not printed, but
// does something, as control characters and marks of direction do, is replaced.
func Printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, text)
}
