package admin

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
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

// EscapeUnprintable returns JSON that says the same in text that does nothing to a
// terminal: what Printable replaces is escaped (RFC 8259 section 7). It is in strings
// only, but for the white space between the values.
func EscapeUnprintable(text []byte) []byte {
	unprintable := func(r rune) bool { return r != '\n' && r != '\t' && !unicode.IsPrint(r) }
	if !bytes.ContainsFunc(text, unprintable) {
		return text
	}
	var escaped []byte
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		switch {
		case !unprintable(r):
			escaped = append(escaped, text[:n]...)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			escaped = fmt.Appendf(escaped, `\u%04x\u%04x`, high, low)
		default:
			escaped = fmt.Appendf(escaped, `\u%04x`, r)
		}
		text = text[n:]
	}
	return escaped
}
