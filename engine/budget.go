package engine

import (
	"container/list"
	"net/netip"
	"sync/atomic"
)

// budget bounds what all connections together hold, in bytes: unfinished frames
// and NOTIFYs beyond the first buffer of each, and replies that were not read.
// With frames of HAProxy's default size, and peers that read, nothing of it is
// reserved.
type budget struct {
	limit int64
	held  atomic.Int64
	spare spareBuffers
}

// hostShare is the part of the budget that one address may hold: however many
// connections it opens, the larger bodies of others find memory.
const hostShare = 2

// host is all that comes from one address. Its connections are counted under the
// registry's lock.
type host struct {
	addr   netip.Addr // the zero Addr for all unix sockets
	budget *budget
	held   atomic.Int64 // bytes of the budget

	conns  int
	unused list.List // of *conn that never sent a NOTIFY, oldest first
}

// reserve reports whether n more bytes may be held, and if so counts them.
func (h *host) reserve(n int) bool {
	if n == 0 {
		return true
	}
	own, all := h.held.Add(int64(n)), h.budget.held.Add(int64(n))
	if own <= h.budget.limit/hostShare && all <= h.budget.limit {
		return true
	}
	h.release(n)
	return false
}

// release gives back what was reserved.
func (h *host) release(n int) {
	if n != 0 {
		h.held.Add(-int64(n))
		h.budget.held.Add(-int64(n))
	}
}
