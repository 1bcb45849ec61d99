package http2

import "bytes"

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
	for len(lines) > 0 {
		end := bytes.IndexByte(lines, '\n')
		if end < 1 {
			break
		}
		line := lines[:end-1]
		lines = lines[end+1:]
		if colon := bytes.IndexByte(line, ':'); colon > 0 {
			dst = AppendField(dst, line[:colon], bytes.TrimPrefix(line[colon+1:], space))
		}
	}
	return dst
}

var space = []byte(" ")

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
