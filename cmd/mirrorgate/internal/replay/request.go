package replay

import (
	"bytes"

	"github.com/mirrorgate/mirrorgate/codec"
	"github.com/mirrorgate/mirrorgate/fanout/record"
)

// request returns a record as HAProxy would send it. It borrows from r, and from buf, to
// which it appends, and which it returns. What is no request is one that is rejected, so
// that it is counted.
func request(r *record.Record, buf []byte) (codec.Request, []byte) {
	malformed := codec.Request{Reject: codec.RejectMalformed}
	line, rest, ok := cutLine(r.Wire)
	method, target, spaced := bytes.Cut(line, []byte(" "))
	space := bytes.LastIndexByte(target, ' ')
	if !ok || !spaced || space < 0 {
		return malformed, buf
	}
	start := len(buf)
	buf, body, ok := appendFields(buf, rest)
	if !ok {
		return malformed, buf
	}
	q := codec.Request{
		Method: method, Target: target[:space], Version: []byte("1.1"),
		Headers:  codec.Headers{Raw: buf[start:len(buf):len(buf)]},
		Body:     body,
		BodySize: -1,
		Source:   r.Client,
	}
	q.Production.ID = r.ID
	if r.Status > 0 {
		q.Production.Status = uint16(r.Status)
	}
	if r.Took >= 0 {
		q.Production.Timed, q.Production.Milliseconds = true, uint32(r.Took)
	}
	return q, buf
}

// cutLine returns the line that b begins with, without its end, and what follows.
func cutLine(b []byte) (line, rest []byte, ok bool) {
	end := bytes.IndexByte(b, '\n')
	if end < 1 || b[end-1] != '\r' {
		return nil, nil, false
	}
	return b[:end-1], b[end+1:], true
}

// appendFields appends the header section that b begins with in the form of
// req.hdrs_bin, which is read much faster than lines are, and returns the body behind it.
// False says that there is none.
func appendFields(dst, b []byte) (extended, body []byte, ok bool) {
	for {
		line, rest, ok := cutLine(b)
		if !ok {
			return dst, nil, false
		}
		if b = rest; len(line) == 0 {
			return codec.AppendHeadersEnd(dst), b, true
		}
		colon := bytes.IndexByte(line, ':')
		if colon < 1 {
			return dst, nil, false
		}
		dst = codec.AppendHeader(dst, line[:colon], trim(line[colon+1:]))
	}
}

// trim takes the white space off both ends.
func trim(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}
