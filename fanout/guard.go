package fanout

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

// validName checks a header name or a method.
func validName(b []byte) bool {
	for _, c := range b {
		if tokenBytes[c] == 0 {
			return false
		}
	}
	return len(b) > 0
}

// validValue checks a field value: no control characters but TAB
// (RFC 9110 section 5.5).
func validValue(b []byte) bool {
	return !hasControl(b, ' ') || !slices.ContainsFunc(b, func(c byte) bool {
		return c < ' ' && c != '\t' || c == del
	})
}

// validPath checks a request target: no control characters and no space.
func validPath(b []byte) bool { return !hasControl(b, ' '+1) }

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

// validHost checks the bytes of a host with an optional port
// (RFC 3986 section 3.2.2). Empty is valid: HTTP/1.0 has such requests.
func validHost(b []byte) bool {
	for _, c := range b {
		if tokenBytes[c] == 0 && !strings.ContainsRune(":[]()=,;", rune(c)) || c == '#' || c == '^' || c == '`' || c == '|' {
			return false
		}
	}
	return true
}

// equalFold reports whether name is lower, which is in lower case.
func equalFold(name []byte, lower string) bool {
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

// fate is what becomes of a header field.
type fate uint8

const (
	fateKeep fate = iota
	fateDrop
	fateHost
	fateLength
	fateCoding
	fateConnection
	fateMarker
	fateForwarded
)

// hopByHop are the fields that concern one connection only
// (RFC 9110 section 7.6.1), and Expect, which asks for an answer nobody waits
// for.
var hopByHop = []string{
	"keep-alive", "proxy-connection", "te", "trailer", "upgrade", "expect",
}

// fates finds the fate of a name. Most are kept, which their length and first
// letter tell.
type fates struct {
	first    [32]uint32 // by length: the first letters, a bit for each
	byLength [32][]knownField
	long     []knownField
}

type knownField struct {
	name string // lower case
	fate fate
}

func newFates(cfg *Config) *fates {
	f := &fates{}
	f.add("host", fateHost)
	f.add("content-length", fateLength)
	f.add("transfer-encoding", fateCoding)
	f.add("connection", fateConnection)
	f.add(markerName, fateMarker)
	for _, name := range hopByHop {
		f.add(name, fateDrop)
	}
	for _, name := range cfg.DelHeaders {
		f.add(name, fateDrop)
	}
	for _, h := range cfg.SetHeaders {
		f.add(h.Name, fateDrop)
	}
	if cfg.ForwardedFor != ForwardedKeep {
		f.add(forwardedName, fateForwarded)
	}
	return f
}

func (f *fates) add(name string, is fate) {
	known := knownField{strings.ToLower(name), is}
	if len(name) < len(f.byLength) {
		f.first[len(name)] |= letterBit(name[0])
		f.byLength[len(name)] = append(f.byLength[len(name)], known)
		return
	}
	f.long = append(f.long, known)
}

// letterBit is the same for a letter in both cases.
func letterBit(c byte) uint32 { return 1 << (c & 31) }

// mayKnow reports whether a name of that length and first letter can have a fate
// other than to be kept.
func (f *fates) mayKnow(length int, first byte) bool {
	return length >= len(f.first) || f.first[length]&letterBit(first) != 0
}

func (f *fates) of(name []byte) fate {
	list := f.long
	if len(name) < len(f.byLength) {
		list = f.byLength[len(name)]
	}
	for i := range list {
		if equalFold(name, list[i].name) {
			return list[i].fate
		}
	}
	return fateKeep
}
