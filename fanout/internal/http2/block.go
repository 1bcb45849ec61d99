package http2

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// A field is written as a literal without indexing, its name included (RFC 7541
// section 6.2.2): 0, the length and the bytes of the name, those of the value.

// AppendField appends a field to a header block and returns the extended slice.
// An upper-case letter in the name is written as a lower-case one
// (RFC 9113 section 8.2). It validates nothing.
func AppendField[N string | []byte](dst []byte, name N, value []byte) []byte {
	dst = append(dst, 0)
	dst = appendInt(dst, len(name))
	at := len(dst)
	dst = append(dst, name...)
	lower(dst[at:])
	dst = appendInt(dst, len(value))
	return append(dst, value...)
}

// lower makes letters lower case.
func lower(b []byte) {
	for i, c := range b {
		if c-'A' < 26 {
			b[i] = c + 'a' - 'A'
		}
	}
}

// AppendLines appends the lines of HTTP/1.1 fields, each with its CRLF, as
// AppendField does. A line is "name: value"; what is none is left out.
func AppendLines(dst, lines []byte) []byte {
	dst = slices.Grow(dst, len(lines)+len(lines)/4+64) // lengths, and what steps write too much
	for at := 0; at < len(lines); {
		n := bytes.IndexByte(lines[at:], '\r')
		if n < 0 {
			break
		}
		line := lines[at : at+n]
		colon := bytes.IndexByte(line, ':')
		if at += n + len("\r\n"); colon <= 0 {
			continue
		}
		v := colon + 1
		if v < n && line[v] == ' ' {
			v++
		}
		if colon >= 0x7f || n-v >= 0x7f || at+step > len(lines) || cap(dst)-len(dst) < n+2*step {
			dst = AppendField(dst, line[:colon], line[v:])
			continue
		}
		dst = appendShort(dst, lines[at-n-2:], colon, v, n)
	}
	return dst
}

// step is how many bytes appendShort copies at once.
const step = 16

// appendShort is AppendField for a line whose parts are shorter than 127 bytes, with
// step bytes behind it and room for 2*step more in dst. To copy so many at once takes
// half of the time of copy, as short as fields are.
func appendShort(dst, line []byte, colon, v, end int) []byte {
	at := len(dst)
	dst = dst[:at+3+colon+end-v+2*step]
	dst[at], dst[at+1] = 0, byte(colon)
	to := at + 2
	for i := 0; i < colon; i += 8 {
		binary.LittleEndian.PutUint64(dst[to+i:], lowerWord(binary.LittleEndian.Uint64(line[i:])))
	}
	to += colon
	dst[to] = byte(end - v)
	to++
	for i := v; i < end; i += step {
		*(*[step]byte)(dst[to+i-v:]) = *(*[step]byte)(line[i:])
	}
	return dst[:to+end-v]
}

// lowerWord makes the letters of eight bytes lower case.
func lowerWord(x uint64) uint64 {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	low := x &^ highs
	upper := (low + ones*(0x80-'A')) &^ (low + ones*(0x7f-'Z')) &^ x & highs
	return x | upper>>2
}

// What a name from the static table saves (RFC 7541 appendix A): the value, or the
// index of the name.
const (
	methodGET   = 0x80 | 2
	methodPOST  = 0x80 | 3
	schemeHTTP  = 0x80 | 6
	schemeHTTPS = 0x80 | 7
	pathRoot    = 0x80 | 4

	indexAuthority = 1
	indexMethod    = 2
	indexPath      = 4
)

// appendPseudo appends what stands in front of the fields
// (RFC 9113 section 8.3.1).
func (r *Request) appendPseudo(dst []byte) []byte {
	switch string(r.Method) {
	case "GET":
		dst = append(dst, methodGET)
	case "POST":
		dst = append(dst, methodPOST)
	default:
		dst = appendNamed(dst, indexMethod, r.Method)
	}
	if r.HTTPS {
		dst = append(dst, schemeHTTPS)
	} else {
		dst = append(dst, schemeHTTP)
	}
	if len(r.Prefix) == 0 && len(r.Path) == 1 && r.Path[0] == '/' {
		dst = append(dst, pathRoot)
	} else {
		dst = append(dst, indexPath)
		dst = appendInt(dst, len(r.Prefix)+len(r.Path))
		dst = append(dst, r.Prefix...)
		dst = append(dst, r.Path...)
	}
	if len(r.Authority) > 0 {
		dst = appendNamed(dst, indexAuthority, r.Authority)
	}
	return dst
}

// appendNamed appends a field whose name stands in the static table.
func appendNamed(dst []byte, index byte, value []byte) []byte {
	dst = append(dst, index)
	dst = appendInt(dst, len(value))
	return append(dst, value...)
}

// appendInt appends the length of a string that is not Huffman-coded
// (RFC 7541 sections 5.1 and 5.2).
func appendInt(dst []byte, n int) []byte {
	if n < 0x7f {
		return append(dst, byte(n))
	}
	dst = append(dst, 0x7f)
	for n -= 0x7f; n >= 0x80; n >>= 7 {
		dst = append(dst, byte(n)|0x80)
	}
	return append(dst, byte(n))
}
