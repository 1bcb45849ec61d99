package fanout

import (
	"sync/atomic"

	"github.com/mirrorgate/mirrorgate/fanout/internal/wire"
)

// payload is the one copy of a request in wire format, shared by all targets
// that take it. It is counted by reference: whoever holds a reference may read
// buf, nobody may write it.
type payload struct {
	refs atomic.Int32
	took int32 // milliseconds that production's answer took; negative: unknown
	buf  []byte
	next *payload // in a chain of free ones

	// What differs between targets: a prefix goes in front of the path, another
	// Host may stand for buf[hostStart:hostEnd].
	path, hostStart, hostEnd int

	flags  entryFlags // of its entries
	idLen  uint8      // bytes of the request's id, which stands behind buf in its capacity
	status uint16     // of production's answer; 0: there is nothing to compare with
}

// payloadSize is how many bytes the allocator takes for a payload besides its
// buffer.
const payloadSize = 80

// payloadCost returns the bytes that a payload with room for size bytes occupies.
func payloadCost(size int) int64 { return int64(bufferSize(size)) + payloadSize }

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
// in wire format, and the id that stands behind it.
func payloadBytes(p *wire.Prepared) int {
	if production := &p.Request.Production; production.Status != 0 {
		return p.Size() + min(len(production.ID), maxID)
	}
	return p.Size()
}

// serialise copies the prepared request into a payload with refs references.
func (b *batch) serialise(p *wire.Prepared, refs int) *payload {
	pl := b.free.acquire(&b.f.payloads, payloadBytes(p))
	pl.refs.Store(int32(refs))
	var l wire.Layout
	pl.buf, l = b.plan.rules.Append(pl.buf, p)
	pl.path, pl.hostStart, pl.hostEnd = l.Path, l.HostStart, l.HostEnd
	pl.flags = flagsOf(l)
	if pl.status = p.Request.Production.Status; pl.status != 0 {
		pl.keepProduction(&p.Request.Production)
	}
	return pl
}
