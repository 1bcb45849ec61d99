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
type buffer struct{ b []byte }

var buffers = sync.Pool{New: func() any { return &buffer{b: make([]byte, 0, bufferSize)} }}

func acquireBuffer() *buffer { return buffers.Get().(*buffer) }

// releaseBuffer gives b back; nothing may point into it any more.
func releaseBuffer(b *buffer) {
	if cap(b.b) > maxPooledBuffer {
		return
	}
	b.b = b.b[:0]
	buffers.Put(b)
}
