package fanout

import (
	"sync"
	"unsafe"

	"github.com/mirrorgate/mirrorgate/fanout/internal/http1"
)

// Buffers are borrowed for reading and writing; a connection that waits holds
// none.
var (
	// turnBuffers have room for a batch, and for its responses.
	turnBuffers = newBuffers(maxBatchBytes + 8<<10)
	// lateBuffers have room for what comes of one response at once. Many are
	// borrowed for a moment each.
	lateBuffers = newBuffers(http1.MaxRest + 12<<10)
)

// buffers are borrowed buffers of one size.
type buffers struct {
	size int // bytes
	pool sync.Pool
}

func newBuffers(size int) *buffers {
	return &buffers{size: size, pool: sync.Pool{New: func() any { return unsafe.SliceData(make([]byte, size)) }}}
}

// acquire borrows a buffer, unless b is one already.
func (p *buffers) acquire(b *[]byte) {
	if *b == nil {
		*b = unsafe.Slice(p.pool.Get().(*byte), p.size)
	}
}

// release gives the buffer back that b is, if it is one.
func (p *buffers) release(b *[]byte) {
	if *b != nil {
		p.pool.Put(unsafe.SliceData(*b))
		*b = nil
	}
}
