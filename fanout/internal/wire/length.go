package wire

import "bytes"

// http1 is how the versions begin whose messages tell whether they have a body.
var http1 = []byte("1.")

// judgeLength decides whether the body is whole, and whether the declared
// length can stay. What cannot be read, or is short, is replaced by the length
// of what came.
func (p *Prepared) judgeLength(lengths int, declared []byte) {
	req := p.Request
	n, ok := ParseLength(declared)
	p.hasLength = lengths > 0
	switch {
	case lengths == 1 && ok:
		p.truncated = n > uint64(len(req.Body))
		p.keepCL = n == uint64(len(req.Body))
	default:
		p.truncated = p.cut()
	}
	if lengths > 0 && !p.keepCL {
		p.dropFields(func(name []byte) bool { return EqualFold(name, "content-length") })
	}
}

// cut reports whether the body of a request that declares no length is not whole,
// or may not be. HTTP/1 tells whether there is one (RFC 9112 section 6.3); for
// later versions the method decides.
func (p *Prepared) cut() bool {
	req := p.Request
	switch {
	case req.BodySize > int64(len(req.Body)):
		return true
	case req.Body == nil && p.chunked:
		return true
	case req.NoBody:
		return anticipatesBody(req.Method) && len(req.Version) > 0 && !bytes.HasPrefix(req.Version, http1)
	}
	return req.Full && (len(req.Body) > 0 || anticipatesBody(req.Method))
}

// ParseLength reads a Content-Length in bytes (RFC 9110 section 8.6). It is not ok
// if it is no number, or one of more than 18 digits.
func ParseLength(b []byte) (n uint64, ok bool) {
	if len(b) == 0 || len(b) > 18 {
		return 0, false
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + uint64(c-'0')
	}
	return n, true
}

// needsLength reports whether Content-Length has to be written: with a body, if
// the request had one, and for methods that anticipate a body
// (RFC 9110 section 8.6).
func (p *Prepared) needsLength() bool {
	if p.keepCL {
		return false
	}
	return len(p.Request.Body) > 0 || p.hasLength || anticipatesBody(p.Request.Method)
}

func anticipatesBody(method []byte) bool {
	switch string(method) {
	case "POST", "PUT", "PATCH":
		return true
	}
	return false
}
