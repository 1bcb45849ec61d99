package wire

import (
	"encoding/binary"
	"slices"
	"strings"
)

// This file holds the guards against request splitting and smuggling: only
// bytes that RFC 9110 allows in their place go out.

// tokenBytes are the bytes of a token (RFC 9110 section 5.6.2), mapped to
// their lower case; every other byte maps to 0.
var tokenBytes = func() (table [256]byte) {
	for c := byte('0'); c <= '9'; c++ {
		table[c] = c
	}
	for c := byte('a'); c <= 'z'; c++ {
		table[c] = c
		table[c-'a'+'A'] = c
	}
	for _, c := range []byte("!#$%&'*+-.^_`|~") {
		table[c] = c
	}
	return table
}()

// ValidName reports whether b is a token, as header names and methods are
// (RFC 9110 section 5.6.2).
func ValidName(b []byte) bool {
	for _, c := range b {
		if tokenBytes[c] == 0 {
			return false
		}
	}
	return len(b) > 0
}

// ValidValue reports whether b may be a field value: no control characters but TAB
// (RFC 9110 section 5.5).
func ValidValue(b []byte) bool {
	return !hasControl(b, ' ') || !slices.ContainsFunc(b, func(c byte) bool {
		return c < ' ' && c != '\t' || c == del
	})
}

// ValidPath reports whether b may be a request target: no control characters and no
// space.
func ValidPath(b []byte) bool { return !hasControl(b, ' '+1) }

const (
	del = 0x7f

	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// hasControl reports whether a byte of b is below min or DEL. It looks at eight
// bytes at once: the highest bit of each tells, and a byte of 0x80 or more is
// none.
func hasControl(b []byte, min byte) bool {
	if len(b) < 8 {
		for _, c := range b {
			if c < min || c == del {
				return true
			}
		}
		return false
	}
	found := control(binary.LittleEndian.Uint64(b[len(b)-8:]), min)
	for i := 0; i+8 < len(b); i += 8 {
		found |= control(binary.LittleEndian.Uint64(b[i:]), min)
	}
	return found&highs != 0
}

// control sets the highest bit of each byte of x that is below min or DEL, and
// of some behind such a byte; other bits mean nothing.
func control(x uint64, min byte) uint64 {
	return ((x - ones*uint64(min)) | ((x ^ ones*del) - ones)) &^ x
}

// ValidHost reports whether b may be a host with an optional port
// (RFC 3986 section 3.2.2). Empty is valid: HTTP/1.0 has such requests.
func ValidHost(b []byte) bool {
	for _, c := range b {
		if tokenBytes[c] == 0 && !strings.ContainsRune(":[]()=,;", rune(c)) || c == '#' || c == '^' || c == '`' || c == '|' {
			return false
		}
	}
	return true
}

// EqualFold reports whether name is lower in any case. lower must be in lower case
// and a token.
func EqualFold(name []byte, lower string) bool {
	if len(name) != len(lower) {
		return false
	}
	for i, c := range name {
		if tokenBytes[c] != lower[i] {
			return false
		}
	}
	return true
}
