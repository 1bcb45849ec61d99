package engine

import (
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/mirrorgate/mirrorgate/codec"
)

// throttleTime is how often the same line is logged.
const throttleTime = time.Minute

// throttle gathers what is worth a line in the log. Event loops only count
// here; the sweeper writes, so that a stuck log never holds up a loop.
type throttle struct {
	mu    sync.Mutex
	lines map[line]*occurrences
}

type line struct {
	what   string
	status codec.Status
}

type occurrences struct {
	count int    // since the last line
	peer  string // the first of them
	size  uint64
	next  time.Duration // not before
}

// note counts f, which peer did.
func (t *throttle) note(peer net.Addr, f fault) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := line{f.what, f.status}
	o := t.lines[key]
	if o == nil {
		o = new(occurrences)
		t.lines[key] = o
	}
	if o.count++; o.count == 1 {
		o.size, o.peer = f.size, ""
		if peer != nil {
			o.peer = peer.String()
		}
	}
}

// flush writes the lines that are due.
func (t *throttle) flush(now time.Duration, log *slog.Logger) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for l, o := range t.lines {
		if o.count == 0 || now < o.next {
			continue
		}
		attrs := []any{"count", o.count}
		if o.peer != "" {
			attrs = append(attrs, "peer", o.peer)
		}
		if l.status != codec.StatusNormal {
			attrs = append(attrs, "code", uint32(l.status), "status", l.status.String())
		}
		if o.size > 0 {
			attrs = append(attrs, "frame_bytes", o.size)
		}
		log.Warn(l.what, attrs...)
		o.count, o.next = 0, now+throttleTime
	}
}
