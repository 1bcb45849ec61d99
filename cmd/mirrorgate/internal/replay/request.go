package replay

import (
	"bytes"

	"github.com/mirrorgate/mirrorgate/codec"
	"github.com/mirrorgate/mirrorgate/fanout/record"
)

var (
	crlf    = []byte("\r\n")
	headEnd = []byte("\r\n\r\n")
)

// request returns a record as HAProxy would send it. It borrows from r. What is no
// request is one that is rejected, so that it is counted.
func request(r *record.Record) codec.Request {
	malformed := codec.Request{Reject: codec.RejectMalformed}
	head, body, ok := bytes.Cut(r.Wire, headEnd)
	if !ok {
		return malformed
	}
	line, fields, _ := bytes.Cut(head, crlf)
	method, rest, ok := bytes.Cut(line, []byte(" "))
	space := bytes.LastIndexByte(rest, ' ')
	if !ok || space < 0 {
		return malformed
	}
	if len(fields) > 0 {
		fields = fields[:len(fields)+len(crlf)]
	}
	q := codec.Request{
		Method: method, Target: rest[:space], Version: []byte("1.1"),
		Headers:  codec.Headers{Raw: fields, Text: true},
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
	return q
}
