package logging

import (
	"log/slog"
	"maps"
	"sync"
	"time"
)

const (
	throttleWindow = time.Minute
	throttleLimit  = 10   // lines of one kind in a window
	throttleKinds  = 1000 // that are told apart
)

// kind tells which lines repeat each other: those with one message, and about
// one target if they are about any.
type kind struct{ message, target string }

// manyKinds is what all lines are that exceed throttleKinds.
var manyKinds = kind{message: "lines of many kinds"}

// throttle lets a limited number of lines of one kind through in a window, and
// at the end of the window reports how many it kept back.
type throttle struct {
	report func(k kind, level slog.Level, suppressed int) // called without throttle.mu

	mu      sync.Mutex
	windows map[kind]*window
	cleared time.Time // when those that are over last had to make room
}

type window struct {
	end        time.Time
	lines      int
	suppressed int
	level      slog.Level  // of the lines that are suppressed
	timer      *time.Timer // reports at the end, nil if none is suppressed
}

func newThrottle(report func(k kind, level slog.Level, suppressed int)) *throttle {
	return &throttle{report: report, windows: make(map[kind]*window)}
}

// admit reports whether a line is to be written, and counts it if it is not.
func (t *throttle) admit(k kind, level slog.Level) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	if t.windows[k] == nil && !t.room(now) {
		k = manyKinds
	}
	w := t.windows[k]
	if w == nil || w.over(now) {
		w = &window{end: now.Add(throttleWindow)}
		t.windows[k] = w
	}
	if w.lines++; w.lines <= throttleLimit {
		return true
	}
	if w.suppressed++; w.suppressed == 1 {
		w.level = level
		w.timer = time.AfterFunc(w.end.Sub(now), func() { t.end(k) })
	}
	return false
}

// room reports whether there may be one more kind. t.mu is held.
func (t *throttle) room(now time.Time) bool {
	if len(t.windows) >= throttleKinds && now.Sub(t.cleared) >= throttleWindow {
		maps.DeleteFunc(t.windows, func(_ kind, w *window) bool { return w.over(now) })
		t.cleared = now
	}
	return len(t.windows) < throttleKinds
}

// over reports whether the window has ended, with nothing left to report.
func (w *window) over(now time.Time) bool { return w.suppressed == 0 && !now.Before(w.end) }

// end ends the window of a kind, of which lines were kept back.
func (t *throttle) end(k kind) {
	t.mu.Lock()
	w := t.windows[k]
	delete(t.windows, k)
	t.mu.Unlock()
	if w != nil && w.suppressed > 0 {
		w.timer.Stop()
		t.report(k, w.level, w.suppressed)
	}
}

// endAll ends all windows.
func (t *throttle) endAll() {
	t.mu.Lock()
	kinds := maps.Clone(t.windows)
	t.mu.Unlock()
	for k := range kinds {
		t.end(k)
	}
}
