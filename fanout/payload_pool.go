package fanout

import (
	"math"
	"math/bits"
	"sync"
	"sync/atomic"
	"time"
)

// Buffers come in classes. Small ones are powers of two, for less would save
// nothing that the allocator does not round up. Large ones have four classes from
// one power of two to the next, so that at most a fifth of a buffer is empty; all
// are whole pages of the allocator.
const (
	minBuffer   = 512      // bytes
	largeBuffer = 64 << 10 // the largest of the small ones
	page        = 8 << 10  // bytes, what the allocator rounds large sizes up to

	smallClasses = 8
	classes      = smallClasses + 4*6 // up to 4 MiB; larger ones are not kept

	keptSmall = 2 << 20 // bytes of free payloads, in each class
	keptLarge = 8 << 20 // bytes of free payloads, in all large classes together

	// A batch refills its local free list with so many payloads at once, or with those
	// of so many bytes if that is fewer.
	maxRefill   = 32
	refillBytes = 64 << 10

	// trimEvery is how often what was not needed meanwhile is given back.
	trimEvery = 10 * time.Second
)

// classOf returns the class of the buffers that are large enough for size bytes and
// not larger than they need be. It is classes or more if none is.
func classOf(size int) int {
	if size <= largeBuffer {
		return max(0, bits.Len(uint(size-1))-bits.Len(minBuffer-1))
	}
	power := bits.Len(uint(size - 1))  // size is at most 1<<power
	quarter := (size-1)>>(power-3) - 4 // of the way there from 1<<(power-1)
	return smallClasses + 4*(power-bits.Len(largeBuffer)) + quarter
}

// classSize returns the bytes that a buffer of the class holds.
func classSize(class int) int {
	if class < smallClasses {
		return minBuffer << class
	}
	power, quarter := (class-smallClasses)/4, (class-smallClasses)%4
	return (5 + quarter) * (largeBuffer / 4) << power
}

// bufferSize returns the bytes of the buffer that size bytes are given.
func bufferSize(size int) int {
	if class := classOf(size); class < classes {
		return classSize(class)
	}
	return (size + page - 1) / page * page
}

// payloads keeps free payloads for use again, the one that was used last on
// top, for it is still in the processor's cache. Small ones come and go in chains:
// unlike a sync.Pool, this costs nothing for each that goes from the core of a
// worker to the core of an event loop. What was not needed for a while is given
// back by trim.
type payloads struct {
	lists [classes]freeList
	large atomic.Int64 // bytes in the lists of large classes
}

// put takes a chain of free payloads of any class. Those that are too many are left
// to the garbage collector.
func (ps *payloads) put(chain *payload) {
	for chain != nil {
		first, last, n := chain, chain, 1
		class := classOf(cap(first.buf))
		if class >= smallClasses {
			chain = first.next
			ps.putLarge(class, first)
			continue
		}
		for last.next != nil && cap(last.next.buf) == cap(first.buf) {
			last = last.next
			n++
		}
		chain = last.next
		ps.lists[class].push(first, last, n, keptSmall/classSize(class))
	}
}

func (ps *payloads) putLarge(class int, p *payload) {
	if class >= classes {
		return
	}
	size := int64(classSize(class))
	if ps.large.Add(size) > keptLarge {
		ps.large.Add(-size)
		return
	}
	ps.lists[class].push(p, p, 1, math.MaxInt)
}

// take returns a chain of at most limit free payloads of the class.
func (ps *payloads) take(class, limit int) *payload {
	first, n := ps.lists[class].pop(limit)
	if class >= smallClasses {
		ps.large.Add(-int64(n * classSize(class)))
	}
	return first
}

// trim gives back what has not been needed since the last time.
func (ps *payloads) trim() {
	for class := range ps.lists {
		l := &ps.lists[class]
		l.mu.Lock()
		surplus := l.least
		l.mu.Unlock()
		for ; surplus > 0; surplus -= maxRefill { // in pieces, for event loops want the lock
			ps.take(class, min(surplus, maxRefill))
		}
		l.mu.Lock()
		l.least = l.n
		l.mu.Unlock()
	}
}

// freeList is the free payloads of one class.
type freeList struct {
	mu    sync.Mutex
	first *payload
	n     int
	least int // of n since the last trim: so many were not needed
}

// push puts a chain of n payloads on top, unless there are limit already.
func (l *freeList) push(first, last *payload, n, limit int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.n >= limit {
		return
	}
	last.next = l.first
	l.first = first
	l.n += n
}

// pop takes a chain of at most limit payloads, and says how many.
func (l *freeList) pop(limit int) (first *payload, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.first == nil {
		return nil, 0
	}
	first, n = l.first, 1
	last := first
	for n < limit && last.next != nil {
		last = last.next
		n++
	}
	l.first = last.next
	l.n -= n
	l.least = min(l.least, l.n)
	last.next = nil
	return first, n
}

// localFree is what a batch took of the small free payloads and has not used yet.
type localFree [smallClasses]*payload

// acquire returns a payload with an empty buffer for size bytes and no
// reference.
func (f *localFree) acquire(from *payloads, size int) *payload {
	class := classOf(size)
	var p *payload
	switch {
	case class < smallClasses:
		if f[class] == nil {
			f[class] = from.take(class, refill(class))
		}
		if p = f[class]; p != nil {
			f[class] = p.next
		}
	case class < classes:
		p = from.take(class, 1)
	}
	if p == nil {
		return &payload{buf: make([]byte, 0, bufferSize(size))}
	}
	p.next, p.buf = nil, p.buf[:0]
	return p
}

// refill is how many free payloads of a small class a batch takes at once.
func refill(class int) int { return min(maxRefill, refillBytes/classSize(class)) }

// payloadCost returns the bytes that a payload with room for size bytes occupies.
func payloadCost(size int) int64 { return int64(bufferSize(size)) + payloadSize }
