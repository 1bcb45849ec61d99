package fanout

import (
	"math/bits"
	"sync"
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

	head       bool // HEAD: the answer has no body, whatever it declares
	idempotent bool // may be sent again after a broken connection

	idLen  uint8  // bytes of the request's id, which stands behind buf in its capacity
	status uint16 // of production's answer; 0: there is nothing to compare with
}

// Payload buffers come in powers of two. Smaller ones would save nothing that
// the allocator does not round up; larger ones are rare and not kept.
const (
	minClass    = 9  // 512 bytes
	maxClass    = 16 // 64 KiB
	payloadSize = 64 // bytes that a payload costs besides its buffer

	keptBytes = 2 << 20 // of free payloads, in each class
	handful   = 32      // free payloads that a batch takes at once
)

func sizeClass(size int) int { return max(minClass, bits.Len(uint(size-1))) }

// payloadCost returns the bytes that a payload of the given size occupies.
func payloadCost(size int) int64 {
	class := sizeClass(size)
	if class > maxClass {
		return int64(size) + payloadSize
	}
	return 1<<class + payloadSize
}

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

// payloads keeps free payloads for use again, the one that was used last on
// top, for it is still in the processor's cache. They come and go in handfuls:
// unlike a sync.Pool, this costs nothing for each that goes from the core of a
// lane to the core of an event loop.
type payloads [maxClass - minClass + 1]freeList

type freeList struct {
	mu    sync.Mutex
	first *payload
	n     int
}

// put takes a chain of free payloads of any class.
func (ps *payloads) put(chain *payload) {
	for chain != nil {
		first, last, n := chain, chain, 1
		for last.next != nil && cap(last.next.buf) == cap(first.buf) {
			last = last.next
			n++
		}
		chain = last.next
		class := sizeClass(cap(first.buf))
		if class > maxClass {
			continue
		}
		l := &ps[class-minClass]
		l.mu.Lock()
		if l.n < keptBytes>>class {
			last.next = l.first
			l.first = first
			l.n += n
		}
		l.mu.Unlock()
	}
}

// take returns a chain of up to a handful of free payloads of the class.
func (ps *payloads) take(class int) *payload {
	l := &ps[class-minClass]
	l.mu.Lock()
	defer l.mu.Unlock()
	first := l.first
	if first == nil {
		return nil
	}
	last, n := first, 1
	for n < handful && last.next != nil {
		last = last.next
		n++
	}
	l.first = last.next
	l.n -= n
	last.next = nil
	return first
}

// hand is what a batch took of the free payloads and has not used yet.
type hand [maxClass - minClass + 1]*payload

// acquire returns a payload with an empty buffer for size bytes and no
// reference.
func (h *hand) acquire(from *payloads, size int) *payload {
	class := sizeClass(size)
	if class > maxClass {
		return &payload{buf: make([]byte, 0, size)}
	}
	top := &h[class-minClass]
	if *top == nil {
		if *top = from.take(class); *top == nil {
			return &payload{buf: make([]byte, 0, 1<<class)}
		}
	}
	p := *top
	*top, p.next = p.next, nil
	p.buf = p.buf[:0]
	return p
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
	pl := b.hand.acquire(&b.f.payloads, payloadBytes(p))
	pl.refs.Store(int32(refs))
	var l wire.Layout
	pl.buf, l = b.plan.rules.Append(pl.buf, p)
	pl.path, pl.hostStart, pl.hostEnd = l.Path, l.HostStart, l.HostEnd
	pl.head, pl.idempotent = l.Head, l.Idempotent
	if pl.status = p.Request.Production.Status; pl.status != 0 {
		pl.keepProduction(&p.Request.Production)
	}
	return pl
}
