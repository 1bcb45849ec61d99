package engine

import "sync/atomic"

// budget bounds what all connections together hold, in bytes: unfinished frames
// and NOTIFYs beyond the first buffer of each, and replies that were not read.
// With frames of HAProxy's default size, and peers that read, nothing is taken
// from it.
type budget struct {
	limit int64
	held  atomic.Int64
}

// take reports whether n more bytes may be held, and if so counts them.
func (b *budget) take(n int) bool {
	if n == 0 {
		return true
	}
	if b.held.Add(int64(n)) <= b.limit {
		return true
	}
	b.give(n)
	return false
}

// give gives back what was taken.
func (b *budget) give(n int) {
	if n != 0 {
		b.held.Add(-int64(n))
	}
}
