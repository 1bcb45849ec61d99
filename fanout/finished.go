package fanout

import (
	"slices"
	"time"
)

// Mark is a moment, for what was submitted before it. It belongs to one goroutine.
type Mark struct {
	at   int64
	left int64 // since when no target's queue has any of it; 0: some has
}

// Mark returns the present moment.
func (f *Fanout) Mark() *Mark { return &Mark{at: f.now()} }

// Ended reports whether the outcome is known of all that was submitted before m. While
// more is submitted that cannot be told of what is in flight: then it is taken to have
// ended once every limit of time that it can have is over.
func (f *Fanout) Ended(m *Mark) bool {
	f.mu.Lock()
	targets := slices.Concat(f.leaving, f.targets)
	f.mu.Unlock()
	longest, pending := time.Duration(0), false
	for _, t := range targets {
		longest = max(longest, t.cfg.Timeout)
		if t.waitsSince(m.at) {
			m.left = 0
			return false
		}
		pending = pending || t.metrics.inFlight() > 0 || t.length.Load() > 0
	}
	if !pending {
		return true
	}
	now := f.now()
	if m.left == 0 {
		m.left = now
	}
	// Connecting, writing and the response each have the limit.
	return now-m.left > 3*int64(longest)+int64(time.Second)
}

// waitsSince reports whether a request of that time, or an older one, is in the queue.
func (t *target) waitsSince(at int64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.queue.n > 0 && t.queue.front().at <= at
}
