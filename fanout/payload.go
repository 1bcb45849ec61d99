package fanout

import (
	"bytes"
	"math"
	"sync/atomic"

	"github.com/mirrorgate/mirrorgate/codec"
	"github.com/mirrorgate/mirrorgate/fanout/internal/wire"
)

// payload is the one copy of a request in wire format, shared by all targets
// that take it. It is counted by reference: whoever holds a reference may read
// buf, nobody may write it.
type payload struct {
	refs atomic.Int32
	took int32 // milliseconds that production's response took; negative: unknown
	buf  []byte
	next *payload // in a chain of free ones

	// What differs between targets: a prefix goes in front of the path, another
	// Host may stand for buf[hostStart:hostEnd].
	path, hostStart, hostEnd int32
	fields, body             int32 // where the field lines begin, and the body

	flags  entryFlags // of its entries
	idLen  uint8      // bytes of the request's id, which stands behind buf in its capacity
	origin originKind // what stands behind that, for recordings
	status uint16     // of production's response; 0: there is nothing to compare with

	pair *pair // of the targets that are compared with each other; nil: there are none
}

// payloadSize is how many bytes the allocator takes for a payload besides its
// buffer.
const payloadSize = 80

// cost returns the bytes that the payload occupies.
func (p *payload) cost() int64 { return int64(cap(p.buf)) + payloadSize }

// unref gives one reference back and reports whether it was the last.
func (p *payload) unref() bool {
	refs := p.refs.Add(-1)
	if refs < 0 {
		panic("BUG: payload released more often than acquired")
	}
	return refs == 0
}

// payloadBytes returns the bytes that the payload of p needs at most: the request
// in wire format, the id that stands behind it, and its origin if it is recorded.
func payloadBytes(p *wire.Prepared, recorded bool) int {
	size := p.Size()
	if recorded {
		size += maxOrigin
	}
	if production := &p.Request.Production; production.Status != 0 || recorded {
		size += min(len(production.ID), maxID)
	}
	return size
}

// maxID is how many bytes of a request's id are kept.
const maxID = math.MaxUint8

// keepProduction keeps what a response will be compared with. The payload has room
// for the id.
func (p *payload) keepProduction(production *codec.ProductionResponse) {
	p.took = -1
	if production.Timed {
		p.took = int32(min(production.Milliseconds, math.MaxInt32))
	}
	id := production.ID[:min(len(production.ID), maxID)]
	p.idLen = uint8(len(id))
	p.buf = append(p.buf, id...)[:len(p.buf)]
}

// id returns the request's id, which is borrowed from p.
func (p *payload) id() []byte { return p.buf[len(p.buf) : len(p.buf)+int(p.idLen)] }

// requestLine returns the method and the path of the request, with its query. They
// are borrowed from p.
func (p *payload) requestLine() (method, target []byte) {
	line := p.buf[:int(p.path)+bytes.IndexByte(p.buf[p.path:], ' ')]
	return line[:p.path-1], line[p.path:]
}

// sections returns the header section and the body of the request, borrowed from p.
func (p *payload) sections() (header, body []byte) {
	return p.buf[p.fields:p.body], p.buf[p.body:]
}

type entryFlags uint8

const (
	flagHead       entryFlags = 1 << iota // HEAD: the response has no body, whatever it declares
	flagIdempotent                        // may be sent again after a broken connection
	flagAlone                             // nothing else may be in flight on its connection
	flagRetried                           // was sent once, without a response
	flagCompared                          // at a target that is compared with another one
	flagGRPC                              // the outcome is told by grpc-status
	flagTrailers                          // says "te: trailers"
)

// flagsOf returns what a request is.
func flagsOf(l wire.Layout) (f entryFlags) {
	if l.Idempotent {
		f |= flagIdempotent
	}
	if l.Head {
		f |= flagHead
	}
	if l.GRPC {
		f |= flagGRPC
	}
	if l.Trailers {
		f |= flagTrailers
	}
	if !l.Idempotent || l.Head || l.HasBody {
		f |= flagAlone
	}
	return f
}
