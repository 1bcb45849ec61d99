package wire

import (
	"bytes"
	"strconv"
)

// Layout is what a sender has to know of a request in wire format. The offsets
// count from the start of the slice that Rules.Append returned.
type Layout struct {
	Path               int // of the path in the request line: here goes a target's prefix
	HostStart, HostEnd int // of the line of Host; both are the same where it is missing
	Fields, Body       int // of the first field line, and of the body behind the empty one

	Head       bool // HEAD: its response has no body, whatever it declares
	Idempotent bool // may be sent again after a broken connection (RFC 9110 section 9.2.2)
	GRPC       bool // a request of gRPC
	Trailers   bool // it says "te: trailers", which only HTTP/2 passes on
	HasBody    bool // or a Content-Length of 0: Puma takes what comes with that for the body
}

// Append appends the request that Prepare read into p to dst in wire format, and
// returns the extended slice. It copies everything: nothing is borrowed from p.
func (r *Rules) Append(dst []byte, p *Prepared) ([]byte, Layout) {
	l := Layout{
		Head: string(p.Request.Method) == "HEAD", Idempotent: isIdempotent(p.Request.Method), HasBody: p.keepCL || p.needsLength(),
		GRPC: p.grpc, Trailers: p.grpc && p.trailers,
	}
	dst = append(dst, p.Request.Method...)
	dst = append(dst, ' ')
	l.Path = len(dst)
	dst = r.appendPath(dst, p.Path)
	dst = append(dst, " HTTP/1.1\r\n"...)
	l.Fields = len(dst)
	dst = p.appendFields(dst, &l)
	if r.options.ForwardedFor != ForwardedKeep {
		dst = r.appendForwarded(dst, p)
	}
	if r.options.Trace == TraceNew {
		dst = r.appendTrace(dst, p)
	}
	if p.needsLength() {
		dst = append(dst, "content-length: "...)
		dst = strconv.AppendInt(dst, int64(len(p.Request.Body)), 10)
		dst = append(dst, '\r', '\n')
	}
	if p.truncated {
		dst = append(dst, truncatedLine...)
	}
	dst = append(dst, r.tail...)
	l.Body = len(dst)
	return append(dst, p.Request.Body...), l
}

// appendFields appends the lines of the request's own fields, in their order, in
// front of them that of Host if only the target of the request names it.
func (p *Prepared) appendFields(dst []byte, l *Layout) []byte {
	l.HostStart, l.HostEnd = len(dst), len(dst)
	switch {
	case p.hostEnd > 0:
		l.HostStart, l.HostEnd = len(dst)+p.hostStart, len(dst)+p.hostEnd
	case p.host < 0 && len(p.authority) > 0:
		dst = AppendField(dst, "host", p.authority)
		l.HostEnd = len(dst)
	}
	for _, run := range p.runs {
		dst = appendRun(dst, run)
	}
	for i := range p.fields {
		fd := &p.fields[i]
		start := len(dst)
		dst = AppendField(dst, fd.name, fd.value)
		if i == p.host {
			l.HostStart, l.HostEnd = start, len(dst)
		}
	}
	return dst
}

// AppendField appends the line of a header field to dst and returns the extended
// slice. It validates nothing.
func AppendField[N string | []byte](dst []byte, name N, value []byte) []byte {
	dst = append(dst, name...)
	dst = append(dst, ": "...)
	dst = append(dst, value...)
	return append(dst, "\r\n"...)
}

// lineLen is how many bytes AppendField appends.
func lineLen(name, value int) int { return name + len(": ") + value + len("\r\n") }

// isIdempotent follows RFC 9110 section 9.2.2.
func isIdempotent(method []byte) bool {
	switch string(method) {
	case "GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE":
		return true
	}
	return false
}

// CutMarker returns a request that Rules.Append wrote in two pieces, without the
// marker between them. They are pieces of b.
func CutMarker(b []byte) (head, tail []byte) {
	// The marker is the last field, and nothing in front of it has an empty line. Its
	// first letter is rare there, so that this is faster than to look for that line.
	at := bytes.Index(b, markerEnd)
	return b[:at], b[at+len(markerLine):]
}

var markerEnd = []byte(markerLine + "\r\n")
