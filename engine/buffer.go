package engine

import (
	"math/bits"
	"sync"
)

// firstBuffer holds a frame of HAProxy's default size with its length.
const firstBuffer = 16 << 10

// maxGrowth is how much larger than what arrived a buffer may get at once, if a
// frame claims to be that long.
const maxGrowth = 4

// buffer holds bytes of a connection from one wake-up to the next. It starts
// small and grows with what arrived, not with what a frame claims to be long.
// What it has besides its first buffer comes out of the budget.
type buffer struct {
	b     []byte // in first, or in larger
	first []byte
	large []byte // nil while first is enough
	host  *host
}

var firstBuffers = sync.Pool{New: func() any { return &buffer{first: make([]byte, 0, firstBuffer)} }}

func acquireBuffer(h *host) *buffer {
	b := firstBuffers.Get().(*buffer)
	b.b, b.host = b.first, h
	return b
}

// add appends p, or nothing if there is no memory for it. All that will come is
// expected to be total bytes, or 0 if that is unknown.
func (b *buffer) add(p []byte, total int) bool {
	if need := len(b.b) + len(p); need > cap(b.b) {
		if total > need {
			need = min(total, maxGrowth*need)
		}
		if !b.grow(need) {
			return false
		}
	}
	b.b = append(b.b, p...)
	return true
}

// grow makes room for n bytes, if there is memory for that.
func (b *buffer) grow(n int) bool {
	size := 1 << bits.Len(uint(n-1))
	if !b.host.reserve(size) {
		return false
	}
	larger := append(b.host.budget.spare.get(size), b.b...)
	b.dropLarge()
	b.b, b.large = larger, larger[:0]
	return true
}

func (b *buffer) dropLarge() {
	if b.large != nil {
		b.host.release(cap(b.large))
		b.host.budget.spare.put(b.large)
		b.large = nil
	}
}

// releaseBuffer gives b back; nothing may point into it any more.
func releaseBuffer(b *buffer) {
	b.dropLarge()
	b.b, b.host = nil, nil
	firstBuffers.Put(b)
}

const (
	smallestSpare = 2 * firstBuffer // bytes
	spareSizes    = 6               // up to 1 MiB, each twice the one before
	// maxSpare is how many bytes of larger buffers wait for their next use.
	maxSpare = 4 << 20
)

// spareBuffers are the larger buffers that are not in use: a body of hundreds of
// kilobytes would otherwise leave twice its size to the garbage collector. The
// zero value is ready for use.
type spareBuffers struct {
	mu    sync.Mutex
	free  [spareSizes][][]byte
	bytes int  // in free
	lent  int  // buffers that are in use
	used  bool // since trim
}

// spareIndex returns where in spareBuffers.free buffers of size bytes, a power
// of two, are.
func spareIndex(size int) int { return bits.Len(uint(size)) - bits.Len(uint(smallestSpare)) }

// get returns an empty buffer of size bytes, a power of two above firstBuffer.
func (s *spareBuffers) get(size int) []byte {
	if b := s.reuse(spareIndex(size)); b != nil {
		return b
	}
	return make([]byte, 0, size)
}

func (s *spareBuffers) reuse(i int) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used = true
	s.lent++
	if i >= spareSizes || len(s.free[i]) == 0 {
		return nil
	}
	last := len(s.free[i]) - 1
	b := s.free[i][last]
	s.free[i][last] = nil
	s.free[i] = s.free[i][:last]
	s.bytes -= cap(b)
	return b
}

// put takes a buffer that came from get.
func (s *spareBuffers) put(b []byte) {
	i := spareIndex(cap(b))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lent--
	if i < spareSizes && s.bytes+cap(b) <= maxSpare {
		s.free[i] = append(s.free[i], b[:0])
		s.bytes += cap(b)
	}
}

// trim gives all of them back to the runtime if none was used since the trim
// before, and reports whether there are any left, or will be.
func (s *spareBuffers) trim() (more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.used {
		s.free, s.bytes = [spareSizes][][]byte{}, 0
	}
	s.used = false
	return s.bytes > 0 || s.lent > 0
}
