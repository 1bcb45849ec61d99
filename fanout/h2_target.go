package fanout

import (
	"math"
	"slices"
	"unsafe"

	"github.com/mirrorgate/mirrorgate/fanout/internal/http2"
)

// An HTTP/2 connection carries many requests at a time and their responses in any
// order (RFC 9113 section 5), so nothing stands behind anything. Each is in the
// hands of one goroutine, a mux, which takes requests from the queue itself as
// streams end. Workers only open connections, if those there are have no stream
// left.

// defaultStreams is how many requests are in flight on an HTTP/2 connection.
const defaultStreams = 64

// multiplexing is what a target knows of its HTTP/2 connections. With target.mu.
type multiplexing struct {
	spoken  bool   // it is what the connection that was opened last speaks
	room    int    // streams that all connections together can open
	waiting []*mux // that wait for bytes and have room; the one that waits longest is first
}

// mayMultiplex reports whether the target may speak HTTP/2.
func (t *target) mayMultiplex() bool {
	return t.cfg.URL.Scheme == schemeH2C || t.client.IsTLS && t.cfg.HTTP != HTTP1
}

// streams is how many requests may be in flight on an HTTP/2 connection.
func (t *target) streams() int {
	if t.cfg.Batch == 0 {
		return defaultStreams
	}
	return t.cfg.Batch
}

// perConn is how many requests may be in flight on a connection. t.mu is held, or
// the target is new.
func (t *target) perConn() int64 {
	if t.http2.spoken {
		return int64(t.streams())
	}
	return int64(max(1, t.cfg.Batch))
}

// speaks notes what a new connection speaks. t.mu is held.
func (t *target) speaks(http2 bool) {
	if t.http2.spoken != http2 {
		t.http2.spoken = http2
		t.batchLimit.Store(t.perConn())
	}
}

// streamBytes is what an HTTP/2 connection counts in the memory limit besides
// others: its streams.
func (t *target) streamBytes() int64 {
	return int64(http2.Size(t.streams())) + int64(http2.Slots(t.streams()))*int64(unsafe.Sizeof(stream{}))
}

// wakeMux takes a connection out that waits, if the queue has work, to be roused
// when t.mu, which is held, is released.
func (t *target) wakeMux(now int64) *mux {
	last := len(t.http2.waiting) - 1
	if last < 0 || t.work(now) == 0 {
		return nil
	}
	m := t.http2.waiting[last]
	t.leaveWaiting(m)
	return m
}

// wantsStreams reports whether a worker may be of use to the queue: no HTTP/2
// connection has a stream left. One that has looks at the queue before it waits.
// Of a fast target streams end soon. t.mu is held.
func (t *target) wantsStreams() bool {
	h := &t.http2
	if h.room > 0 {
		return false
	}
	return !h.spoken || !t.pace.fast() || t.open < cores+t.queue.n/(t.streams()*backlogTurns)
}

// leaveWaiting takes m out of those that wait. t.mu is held.
func (t *target) leaveWaiting(m *mux) {
	if m.waits {
		m.waits = false
		i := slices.Index(t.http2.waiting, m)
		t.http2.waiting = slices.Delete(t.http2.waiting, i, i+1)
	}
}

// setRoom says how many streams m can open. t.mu is held.
func (t *target) setRoom(m *mux, room int) {
	t.http2.room += room - m.room
	m.room = room
}

// never is later than any time.
const never = int64(math.MaxInt64)
