package example

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// maxLine is how many bytes of a differing line are kept.
const maxLine = 1024

// AppendBody appends what is kept of a body, whose codings are off: of JSON and
// forms all, with the secrets masked; of other text the line, counted from 1, in
// which it differs; of all else how long it is.
func (m *Mask) AppendBody(dst, mediaType, body []byte, line int) []byte {
	if len(body) == 0 {
		return dst
	}
	mediaType, _, _ = bytes.Cut(bytes.ToLower(mediaType), []byte(";"))
	if string(bytes.TrimSpace(mediaType)) == "application/x-www-form-urlencoded" {
		return m.appendForm(dst, body)
	}
	if masked, ok := m.appendJSON(dst, body); ok {
		return masked
	}
	if line > 0 && utf8.Valid(body) {
		return m.appendText(dst, lineOf(body, line))
	}
	return fmt.Appendf(dst, "(%d bytes)", len(body))
}

// lineOf returns a line, counted from 1, up to maxLine bytes.
func lineOf(body []byte, line int) []byte {
	for ; line > 1; line-- {
		_, body, _ = bytes.Cut(body, []byte("\n"))
	}
	body, _, _ = bytes.Cut(body, []byte("\n"))
	return body[:min(len(body), maxLine)]
}
