package engine

import "sync"

const (
	// bufferSize holds a frame of HAProxy's default size with its length.
	bufferSize = 16 << 10
	// maxPooledBuffer is the largest buffer, in bytes, that is used again.
	maxPooledBuffer = 64 << 10
)

// buffer holds bytes of a connection from one wake-up to the next. It starts
// small and grows with what arrived, never with what a frame claims to be long.
// What it has beyond its first size comes out of a budget.
type buffer struct {
	b    []byte
	from *budget
}

var buffers = sync.Pool{New: func() any { return &buffer{b: make([]byte, 0, bufferSize)} }}

func acquireBuffer(from *budget) *buffer {
	b := buffers.Get().(*buffer)
	b.from = from
	if !from.take(cap(b.b) - bufferSize) {
		b.b = make([]byte, 0, bufferSize)
	}
	return b
}

// add appends p, or nothing if there is no memory for it.
func (b *buffer) add(p []byte) bool {
	if need := len(b.b) + len(p); need > cap(b.b) {
		size := max(need, 2*cap(b.b))
		if !b.from.take(size - cap(b.b)) {
			return false
		}
		b.b = append(make([]byte, 0, size), b.b...)
	}
	b.b = append(b.b, p...)
	return true
}

// releaseBuffer gives b back; nothing may point into it any more.
func releaseBuffer(b *buffer) {
	b.from.give(cap(b.b) - bufferSize)
	b.from = nil
	if cap(b.b) > maxPooledBuffer {
		return
	}
	b.b = b.b[:0]
	buffers.Put(b)
}
