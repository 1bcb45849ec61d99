package logging

import (
	"log/slog"
	"sync"
)

// queueLimit bounds the lines that wait. One takes about half a kilobyte.
const queueLimit = 1024

// entry is a line that waits to be written, or stands for some that were lost.
type entry struct {
	record  slog.Record
	handler slog.Handler // formats the record, with the attributes of whoever logs
	lost    int          // lines; if above 0, there is no record
}

// queue holds lines in the order in which they came.
type queue struct {
	wake chan struct{} // holds one value while there is something to take

	mu      sync.Mutex
	entries []entry
	closed  bool
}

func newQueue() *queue { return &queue{wake: make(chan struct{}, 1)} }

// put adds a line and never waits. It reports false if the line is lost: there
// is no room, unless it must be there, or nobody writes any more. While lines
// are being lost, all are, until there is room for many.
func (q *queue) put(e entry, must bool) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	defer q.signal()
	losing := len(q.entries) > 0 && q.entries[len(q.entries)-1].lost > 0
	switch {
	case must || !losing && len(q.entries) < queueLimit:
		q.entries = append(q.entries, e)
		return true
	case losing:
		q.entries[len(q.entries)-1].lost++
	default:
		q.entries = append(q.entries, entry{lost: 1})
	}
	return false
}

// signal wakes the writer. q.mu is held.
func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// close lets no line in any more.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.signal()
}

// take returns all lines, and whether there will be more. The next ones go into
// spare.
func (q *queue) take(spare []entry) (entries []entry, more bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	entries, q.entries = q.entries, spare[:0]
	return entries, !q.closed
}
