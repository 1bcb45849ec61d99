package http2

import (
	"strconv"

	"golang.org/x/net/http2/hpack"
)

// AppendHead appends a response's head as HTTP/1.1 would have it, for callers that
// keep responses of both, or if ev has no status the lines of its trailers. It
// returns the extended slice.
func (c *Conn) AppendHead(dst []byte, ev *Event) []byte {
	if ev.Status != 0 {
		dst = append(dst, "HTTP/1.1 "...)
		dst = strconv.AppendInt(dst, int64(ev.Status), 10)
		dst = append(dst, " \r\n"...)
	}
	decoder := hpack.NewDecoder(0, func(f hpack.HeaderField) {
		if !f.IsPseudo() {
			dst = appendText(dst, f.Name)
			dst = append(dst, ": "...)
			dst = appendText(dst, f.Value)
			dst = append(dst, '\r', '\n')
		}
	})
	_, _ = decoder.Write(ev.Block) // what cannot be decoded ends the fields
	if ev.Status != 0 {
		dst = append(dst, '\r', '\n')
	}
	return dst
}

// appendText appends a string that could otherwise end a line.
func appendText(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c == '\r' || c == '\n' || c == 0 {
			dst = append(dst, ' ')
		} else {
			dst = append(dst, c)
		}
	}
	return dst
}
