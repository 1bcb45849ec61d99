package wire

import (
	"slices"

	"github.com/mirrorgate/mirrorgate/codec"
)

// Prepared is a request that may be mirrored, read once so that what follows only
// copies. It borrows from the codec.Request, and is made anew for each. The zero
// value is ready for Rules.Prepare. It belongs to one goroutine.
type Prepared struct {
	Request *codec.Request
	Path    []byte // origin-form; '/' is missing in front of a '?'

	authority []byte // of an absolute-form target
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
	offers    bool // it has an Upgrade to something else than HTTP/2
	chunked   bool // it declared a body without one (Transfer-Encoding)
	keepCL    bool // Content-Length is among fields and right
	truncated bool // the body is not whole, and goes out all the same
	grpc      bool // it is a request of gRPC
	trailers  bool // "te: trailers"
}

// Size returns how many bytes Rules.Append appends at most.
func (p *Prepared) Size() int { return p.size }

// Upgrades reports whether the request asks for another protocol than HTTP on its
// connection (RFC 9110 section 7.8), such as WebSocket.
func (p *Prepared) Upgrades() bool {
	return p.offers && slices.ContainsFunc(p.hops, func(hop []byte) bool { return EqualFold(hop, "upgrade") })
}

// Host returns the host that the request is for, with its port, as it names it.
func (p *Prepared) Host() []byte {
	for it := p.Request.Headers.Iter(); it.Next(); {
		if EqualFold(it.Name, "host") {
			return it.Value
		}
	}
	return p.authority
}

// Prepare reads req into p and returns why it is not to be mirrored, if so; p then
// means nothing. req and what it points into must stay as they are for as long as
// p is used.
func (r *Rules) Prepare(p *Prepared, req *codec.Request) codec.RejectReason {
	if req.Reject != codec.RejectNone {
		return req.Reject
	}
	p.reset(req)
	if !ValidName(req.Method) {
		return codec.RejectMalformed
	}
	if string(req.Method) == "CONNECT" {
		return codec.RejectConnect
	}
	var err error
	p.authority, p.Path, err = codec.ParseTarget(req.Method, req.Target)
	if err != nil || !ValidPath(p.Path) || !ValidHost(p.authority) {
		return codec.RejectMalformed
	}
	if !r.takeFastPath(p) {
		if reject := r.readFields(p); reject != codec.RejectNone {
			return reject
		}
	}
	if p.grpc && !p.judgeMessage() {
		return codec.RejectGRPCStream
	}
	if p.truncated && !r.options.SendTruncated {
		if req.NoBody {
			return codec.RejectNoBody
		}
		return codec.RejectTruncated
	}
	p.size += len(req.Method) + len(p.Path) + len(p.authority) + len(req.Body) + r.overhead
	return codec.RejectNone
}

// reset makes p that of req before anything is read. Field by field: a new value
// for all of it would be made elsewhere and copied.
func (p *Prepared) reset(req *codec.Request) {
	p.Request, p.authority, p.Path, p.truncated = req, nil, nil, false
	p.resetFields()
}

// resetFields forgets what was read of the header fields.
func (p *Prepared) resetFields() {
	p.size, p.hasLength, p.chunked, p.keepCL, p.offers = 0, false, false, false, false
	p.grpc, p.trailers = false, false
	p.runs, p.hostStart, p.hostEnd = p.runs[:0], 0, 0
	p.fields, p.host, p.hops = p.fields[:0], -1, p.hops[:0]
}
