package recordings

import (
	"bytes"
	"crypto/rand"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/export"
	"github.com/mirrorgate/mirrorgate/fanout/compare/example"
	"github.com/mirrorgate/mirrorgate/fanout/record"
)

// request is a recorded request in its parts, which are borrowed from the record.
type request struct {
	method, target []byte
	header         []byte // lines, each with its end
	body           []byte
}

var (
	crlf    = []byte("\r\n")
	headEnd = []byte("\r\n\r\n")
)

// parse takes a record apart. What is no request has its bytes as the target.
func parse(r *record.Record) (q request) {
	head, body, ok := bytes.Cut(r.Wire, headEnd)
	line, header, _ := bytes.Cut(head, crlf)
	method, rest, spaced := bytes.Cut(line, []byte(" "))
	space := bytes.LastIndexByte(rest, ' ')
	if !ok || !spaced || space < 0 {
		return request{method: []byte("?"), target: r.Wire}
	}
	if len(header) > 0 {
		header = header[:len(header)+len(crlf)]
	}
	return request{method, rest[:space], header, body}
}

func (q *request) path() []byte {
	path, _, _ := bytes.Cut(q.target, []byte("?"))
	return path
}

// field returns the value of the first header field of that name, in lower case.
func (q *request) field(name string) []byte {
	for line := range bytes.SplitSeq(q.header, crlf) {
		n, value, ok := bytes.Cut(line, []byte(":"))
		if ok && string(bytes.ToLower(n)) == name {
			return bytes.TrimSpace(value)
		}
	}
	return nil
}

// export is the request for other tools, sent to where it went, as far as it says so.
func (q *request) export() *export.Request {
	host := q.field("host")
	if host == nil {
		host = []byte("localhost")
	}
	return &export.Request{
		Method: string(q.method), URL: "http://" + string(host) + string(q.target), Header: string(q.header), Body: string(q.body),
	}
}

// Mask hides secrets, or not.
type Mask struct{ mask *example.Mask }

// NewMask returns a Mask with a random key, that hides the values of the names that
// those of differences hide, of added too, and not of removed; none if all is to be shown.
func NewMask(none bool, added, removed []string) (*Mask, error) {
	if none {
		return &Mask{}, nil
	}
	var key [32]byte
	rand.Read(key[:])
	m, err := example.NewMask(key, added, removed)
	return &Mask{m}, err
}

// apply returns the request with its secrets masked. The body is whole if it can be
// shown; if not, shown is false.
func (m *Mask) apply(q request) (masked request, shown bool) {
	if m.mask == nil {
		return q, true
	}
	masked = request{
		method: q.method,
		target: m.mask.AppendTarget(nil, q.target),
		header: m.mask.AppendHeader(nil, q.header),
		body:   m.mask.AppendBody(nil, q.field("content-type"), q.body, 0),
	}
	return masked, len(q.body) == 0 || q.field("content-encoding") == nil && !bytes.HasSuffix(masked.body, []byte(" bytes)"))
}
