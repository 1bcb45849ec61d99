package fanout

import (
	"math/bits"
	"sync"
	"sync/atomic"
)

// payload is the one copy of a request in wire format, shared by all targets
// that take it. It is counted by reference: whoever holds a reference may read
// buf, nobody may write it.
type payload struct {
	refs atomic.Int32
	buf  []byte

	// What differs between targets: a prefix goes in front of the path, another
	// Host may stand for buf[hostStart:hostEnd].
	path, hostStart, hostEnd int

	head       bool // HEAD: the answer has no body, whatever it declares
	idempotent bool // may be sent again after a broken connection
}

// Payload buffers come in powers of two. Smaller ones would save nothing that
// the allocator does not round up; larger ones are rare and not pooled.
const (
	minClass    = 9  // 512 bytes
	maxClass    = 16 // 64 KiB
	payloadSize = 64 // bytes that a payload costs besides its buffer
)

var payloadPools [maxClass - minClass + 1]sync.Pool

// payloadCost returns the bytes that a payload of the given size occupies.
func payloadCost(size int) int64 {
	class := sizeClass(size)
	if class > maxClass {
		return int64(size) + payloadSize
	}
	return 1<<class + payloadSize
}

func sizeClass(size int) int {
	return max(minClass, bits.Len(uint(size-1)))
}

// acquirePayload returns a payload with an empty buffer for size bytes and no
// reference.
func acquirePayload(size int) *payload {
	class := sizeClass(size)
	if class > maxClass {
		return &payload{buf: make([]byte, 0, size)}
	}
	if v := payloadPools[class-minClass].Get(); v != nil {
		return v.(*payload)
	}
	return &payload{buf: make([]byte, 0, 1<<class)}
}

// cost returns the bytes that the payload occupies.
func (p *payload) cost() int64 { return int64(cap(p.buf)) + payloadSize }

// release gives one reference back and returns the bytes that this freed: 0
// while others hold the payload.
func (p *payload) release() int64 {
	refs := p.refs.Add(-1)
	if refs > 0 {
		return 0
	}
	if refs < 0 {
		panic("BUG: payload released more often than acquired")
	}
	freed := p.cost()
	if class := sizeClass(cap(p.buf)); class <= maxClass {
		p.buf = p.buf[:0]
		payloadPools[class-minClass].Put(p)
	}
	return freed
}

// isIdempotent follows RFC 9110 section 9.2.2.
func isIdempotent(method []byte) bool {
	switch string(method) {
	case "GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE":
		return true
	}
	return false
}

// serialise copies the prepared request into a payload with refs references.
func (f *Fanout) serialise(p *prepared, refs int) *payload {
	pl := acquirePayload(p.size)
	pl.refs.Store(int32(refs))
	pl.buf, pl.path, pl.hostStart, pl.hostEnd = f.appendWire(pl.buf, p)
	pl.head = string(p.req.Method) == "HEAD"
	pl.idempotent = isIdempotent(p.req.Method)
	return pl
}
