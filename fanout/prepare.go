package fanout

import (
	"bytes"
	"slices"
	"strconv"

	"github.com/mirrorgate/mirrorgate/codec"
)

// The marker tells a request that was mirrored before: it is never mirrored
// again. The other one tells the target that the body is not whole.
const (
	markerName    = "x-mirrored-by"
	markerLine    = "X-Mirrored-By: mirrorgate\r\n"
	truncatedLine = "X-Mirrored-Truncated: true\r\n"
)

// http1 is how the versions begin whose messages tell whether they have a body.
var http1 = []byte("1.")

// field is a header field that goes out. Its slices are borrowed.
type field struct{ name, value []byte }

// prepared is a request that passed the guards, read once so that what follows
// only copies. It borrows from the codec.Request and is used anew for each.
type prepared struct {
	req       *codec.Request
	authority []byte // of an absolute-form target
	path      []byte // origin-form; '/' is missing in front of a '?'
	size      int    // bytes at most in wire format

	// The fields: as runs of the list in which HAProxy sent them, with the line of
	// Host at hostStart to hostEnd of their lines, or one by one, with that of Host
	// at fields[host]. The other one is empty.
	runs               [][]byte
	hostStart, hostEnd int
	fields             []field
	host               int      // -1 if there is none
	hops               [][]byte // names in Connection

	hasLength bool // the request declared a length
	chunked   bool // it declared a body without one (Transfer-Encoding)
	keepCL    bool // Content-Length is among fields and right
	truncated bool // the body is not whole, and goes out all the same
}

// prepare reads r into p and returns why it is not to be mirrored, if so.
func (pl *plan) prepare(p *prepared, r *codec.Request) codec.RejectReason {
	if r.Reject != codec.RejectNone {
		return r.Reject
	}
	p.reset(r)
	if !validName(r.Method) {
		return codec.RejectMalformed
	}
	if string(r.Method) == "CONNECT" {
		return codec.RejectConnect
	}
	var err error
	p.authority, p.path, err = codec.ParseTarget(r.Method, r.Target)
	if err != nil || !validPath(p.path) || !validHost(p.authority) {
		return codec.RejectMalformed
	}
	if !pl.scanUsual(p) {
		if reject := pl.scanHeaders(p); reject != codec.RejectNone {
			return reject
		}
	}
	if p.truncated && !pl.cfg.SendTruncated {
		if r.NoBody {
			return codec.RejectNoBody
		}
		return codec.RejectTruncated
	}
	p.size += len(r.Method) + len(p.path) + len(p.authority) + len(r.Body) + pl.overhead
	if r.Production.Status != 0 {
		p.size += min(len(r.Production.ID), maxID)
	}
	return codec.RejectNone
}

// reset makes p that of r before anything is read. Field by field: a new value
// for all of it would be made elsewhere and copied.
func (p *prepared) reset(r *codec.Request) {
	p.req, p.authority, p.path, p.truncated = r, nil, nil, false
	p.resetFields()
}

// resetFields forgets what was read of the header fields.
func (p *prepared) resetFields() {
	p.size, p.hasLength, p.chunked, p.keepCL = 0, false, false, false
	p.runs, p.hostStart, p.hostEnd = p.runs[:0], 0, 0
	p.fields, p.host, p.hops = p.fields[:0], -1, p.hops[:0]
}

// scanHeaders validates the fields and keeps those that go out.
func (pl *plan) scanHeaders(p *prepared) codec.RejectReason {
	var lengths int
	var length []byte
	loop := false
	fields, size := p.fields, 0
	it := p.req.Headers.Iter()
	for it.Next() {
		if !validName(it.Name) || !validValue(it.Value) {
			return codec.RejectMalformed
		}
		switch pl.fates.of(it.Name) {
		case fateDrop:
			continue
		case fateCoding:
			p.chunked = true
			continue
		case fateConnection:
			if !p.addHops(it.Value) {
				return codec.RejectMalformed
			}
			continue
		case fateMarker:
			loop = true
			continue
		case fateHost:
			if p.host >= 0 {
				return codec.RejectMalformed // RFC 9112 section 3.2
			}
			p.host = len(fields)
		case fateLength:
			lengths++
			length = it.Value
		case fateForwarded:
			if pl.forwards(p) {
				size += len(it.Value) + len(separator)
				continue
			}
		}
		fields = append(fields, field{it.Name, it.Value})
		size += len(it.Name) + len(it.Value) + len(": \r\n")
	}
	p.fields, p.size = fields, size
	if it.Err() != nil {
		return codec.RejectMalformed
	}
	if loop {
		return codec.RejectLoop
	}
	p.judgeLength(lengths, length)
	if len(p.hops) > 0 {
		p.dropHops()
	}
	return codec.RejectNone
}

// judgeLength decides whether the body is whole, and whether the declared
// length can stay. What cannot be read, or is short, is replaced by the length
// of what came.
func (p *prepared) judgeLength(lengths int, declared []byte) {
	r := p.req
	n, ok := parseLength(declared)
	p.hasLength = lengths > 0
	switch {
	case lengths == 1 && ok:
		p.truncated = n > uint64(len(r.Body))
		p.keepCL = n == uint64(len(r.Body))
	default:
		p.truncated = p.cut()
	}
	if lengths > 0 && !p.keepCL {
		p.dropFields(func(name []byte) bool { return equalFold(name, "content-length") })
	}
}

// cut reports whether the body of a request that declares no length is not whole,
// or may not be. HTTP/1 tells whether there is one (RFC 9112 section 6.3); for
// later versions the method decides.
func (p *prepared) cut() bool {
	r := p.req
	switch {
	case r.BodySize > int64(len(r.Body)):
		return true
	case r.Body == nil && p.chunked:
		return true
	case r.NoBody:
		return anticipatesBody(r.Method) && len(r.Version) > 0 && !bytes.HasPrefix(r.Version, http1)
	}
	return r.Full && (len(r.Body) > 0 || anticipatesBody(r.Method))
}

func parseLength(b []byte) (n uint64, ok bool) {
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

// maxHops bounds the names in Connection, each of which is compared with each
// field. A client that sent thousands would hold up an event loop.
const maxHops = 32

// addHops collects the names in a value of Connection (RFC 9110 section 7.6.1).
// It reports whether they are few enough.
func (p *prepared) addHops(value []byte) bool {
	for len(value) > 0 {
		var name []byte
		name, value, _ = bytes.Cut(value, comma)
		if name = bytes.Trim(name, " \t"); len(name) == 0 {
			continue
		}
		if len(p.hops) == maxHops {
			return false
		}
		p.hops = append(p.hops, name)
	}
	return true
}

// dropHops removes the fields that Connection names as hop-by-hop, Host and
// Content-Length excepted: without them the request would be another one.
func (p *prepared) dropHops() {
	p.dropFields(func(name []byte) bool {
		if equalFold(name, "host") || equalFold(name, "content-length") {
			return false
		}
		return slices.ContainsFunc(p.hops, func(hop []byte) bool {
			return len(hop) == len(name) && bytes.EqualFold(hop, name)
		})
	})
}

func (p *prepared) dropFields(drop func(name []byte) bool) {
	kept := p.fields[:0]
	host := -1
	for i, fd := range p.fields {
		if drop(fd.name) {
			continue
		}
		if i == p.host {
			host = len(kept)
		}
		kept = append(kept, fd)
	}
	p.fields, p.host = kept, host
}

// needsLength reports whether Content-Length has to be written: with a body, if
// the request had one, and for methods that anticipate a body
// (RFC 9110 section 8.6).
func (p *prepared) needsLength() bool {
	if p.keepCL {
		return false
	}
	return len(p.req.Body) > 0 || p.hasLength || anticipatesBody(p.req.Method)
}

func anticipatesBody(method []byte) bool {
	switch string(method) {
	case "POST", "PUT", "PATCH":
		return true
	}
	return false
}

// appendWire appends the request in wire format and returns where in dst its
// path starts, and where the line of Host starts and ends. Both are the same
// if there is no Host.
func (pl *plan) appendWire(dst []byte, p *prepared) (wire []byte, path, hostStart, hostEnd int) {
	dst = append(dst, p.req.Method...)
	dst = append(dst, ' ')
	path = len(dst)
	if len(p.path) == 0 || p.path[0] == '?' {
		dst = append(dst, '/')
	}
	dst = append(dst, p.path...)
	dst = append(dst, " HTTP/1.1\r\n"...)
	hostStart, hostEnd = len(dst), len(dst)
	switch {
	case p.hostEnd > 0:
		hostStart, hostEnd = hostStart+p.hostStart, hostStart+p.hostEnd
	case p.host < 0 && len(p.authority) > 0:
		dst = appendField(dst, "host", p.authority)
		hostEnd = len(dst)
	}
	for _, run := range p.runs {
		dst = appendRun(dst, run)
	}
	for i := range p.fields {
		fd := &p.fields[i]
		start := len(dst)
		dst = appendField(dst, fd.name, fd.value)
		if i == p.host {
			hostStart, hostEnd = start, len(dst)
		}
	}
	if pl.cfg.ForwardedFor != ForwardedKeep {
		dst = pl.appendForwarded(dst, p)
	}
	if p.needsLength() {
		dst = append(dst, "content-length: "...)
		dst = strconv.AppendInt(dst, int64(len(p.req.Body)), 10)
		dst = append(dst, '\r', '\n')
	}
	if p.truncated {
		dst = append(dst, truncatedLine...)
	}
	dst = append(dst, pl.tail...)
	dst = append(dst, p.req.Body...)
	return dst, path, hostStart, hostEnd
}

func appendField[N string | []byte](dst []byte, name N, value []byte) []byte {
	dst = append(dst, name...)
	dst = append(dst, ": "...)
	dst = append(dst, value...)
	return append(dst, "\r\n"...)
}
