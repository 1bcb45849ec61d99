package engine

import (
	"bytes"
	"math"

	"github.com/mirrorgate/mirrorgate/codec"
)

// HAProxy sends what one buffer of its own holds. If a body did not fit, the
// length that its request declares tells it. Where none is declared, as HTTP/2
// allows, nothing does but that the buffer is full, and how full it is can only be
// guessed from the size of the NOTIFY.
const (
	// The buffer (tune.bufsize) is this much larger than the largest frame, and
	// keeps tune.maxrewrite of it free.
	bufferOverFrame = 4
	maxRewrite      = 1024

	// In the buffer a request takes more bytes than in the NOTIFY: these at least,
	// some for each field, and 8 for each DATA frame that HTTP/2 brought. Of frames
	// of 64 bytes and more that is at most an eighth of the buffer.
	fullMargin    = 128
	fieldOverhead = 8
	dataShare     = 8

	// defaultBuffer is HAProxy's default. Below smallBuffer it is not the buffer that
	// limits what HAProxy announces, but the max-frame-size of its spoe-agent.
	defaultBuffer = 16384
	smallBuffer   = 4096
)

// guessBuffers sets how large HAProxy's buffer is for a NOTIFY in one frame and for
// one in fragments, by the max-frame-size that it announced. What does not fit into
// a frame has a buffer that is larger than that.
func (s *session) guessBuffers(announced uint64) {
	buffer := int(min(announced, math.MaxUint32)) + bufferOverFrame
	s.fragmentedBuffer = max(buffer, defaultBuffer)
	s.buffer = s.fragmentedBuffer
	if buffer >= smallBuffer {
		s.buffer = buffer
	}
}

// mayBeCut reports whether a NOTIFY of size bytes with r in it fills a buffer of
// that many bytes.
func mayBeCut(r *codec.Request, size, buffer int) bool {
	const shortestField = len("\x01n\x00")
	used := size + fullMargin + maxRewrite
	if !bytes.HasPrefix(r.Version, http1) {
		used += buffer / dataShare
	}
	if used+len(r.Headers.Raw)/shortestField*fieldOverhead <= buffer {
		return false
	}
	for it := r.Headers.Iter(); it.Next(); {
		used += fieldOverhead
	}
	return used > buffer
}

var http1 = []byte("1.")
