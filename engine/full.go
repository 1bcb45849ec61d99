package engine

import "github.com/mirrorgate/mirrorgate/codec"

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
	// some for each field, and those of each DATA frame that HTTP/2 brought. Of
	// frames of 30 bytes and more that is less than a sixteenth of the buffer.
	fullMargin    = 128
	fieldOverhead = 8
	dataShare     = 16

	// usualBuffer is HAProxy's default. Below smallBuffer it is not the buffer that
	// limits what HAProxy announces, but the max-frame-size of its spoe-agent.
	usualBuffer = 16384
	smallBuffer = 4096
)

// fullSize is the size in bytes of a NOTIFY beyond which the buffer may be full.
func fullSize(buffer uint64) int {
	return int(buffer - maxRewrite - fullMargin - buffer/dataShare)
}

// judgeSizes sets from what size on a NOTIFY may carry a body that was cut, by the
// max-frame-size that HAProxy announced. One in fragments does not fit into a
// frame, so that its buffer is larger than that.
func (s *session) judgeSizes(announced uint64) {
	buffer := min(announced, announcedFactor*s.policy.maxFrameSize) + bufferOverFrame
	s.fullFragmented = fullSize(max(buffer, usualBuffer))
	s.full = s.fullFragmented
	if buffer >= smallBuffer {
		s.full = fullSize(buffer)
	}
}

// mayBeCut reports whether a NOTIFY of size bytes with r in it fills the buffer,
// which it does beyond full bytes.
func mayBeCut(r *codec.Request, size, full int) bool {
	const shortestField = len("\x01n\x00")
	if size+len(r.Headers.Raw)/shortestField*fieldOverhead <= full {
		return false
	}
	for it := r.Headers.Iter(); it.Next(); {
		size += fieldOverhead
	}
	return size > full
}
