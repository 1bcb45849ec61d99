package main

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

const (
	throttleWindow = time.Minute
	throttleLimit  = 10 // lines of one message in a window
)

// throttle is a handler that passes on a limited number of lines with the same
// message, and then says how many it kept back.
type throttle struct {
	slog.Handler
	windows *windows
}

// windows are shared by all handlers that descend from one.
type windows struct {
	base slog.Handler // without the attributes of whoever logs

	mu     sync.Mutex
	byText map[string]*window
}

type window struct {
	end        time.Time
	lines      int
	suppressed int
}

func newThrottle(h slog.Handler) *throttle {
	return &throttle{h, &windows{base: h, byText: make(map[string]*window)}}
}

// Handle passes the record on, or counts it.
func (t *throttle) Handle(ctx context.Context, r slog.Record) error {
	if !t.admit(r) {
		return nil
	}
	return t.Handler.Handle(ctx, r)
}

// WithAttrs and WithGroup keep counting in the same windows.
func (t *throttle) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &throttle{t.Handler.WithAttrs(attrs), t.windows}
}

func (t *throttle) WithGroup(name string) slog.Handler {
	return &throttle{t.Handler.WithGroup(name), t.windows}
}

func (t *throttle) admit(r slog.Record) bool {
	t.windows.mu.Lock()
	defer t.windows.mu.Unlock()
	w := t.windows.byText[r.Message]
	if w == nil {
		w = new(window)
		t.windows.byText[r.Message] = w
	}
	if now := time.Now(); !now.Before(w.end) && w.suppressed == 0 {
		*w = window{end: now.Add(throttleWindow)}
	}
	w.lines++
	if w.lines <= throttleLimit {
		return true
	}
	if w.suppressed++; w.suppressed == 1 {
		time.AfterFunc(time.Until(w.end), func() { t.windows.report(w, r.Level, r.Message) })
	}
	return false
}

// report ends a window in which lines were kept back.
func (ws *windows) report(w *window, level slog.Level, message string) {
	ws.mu.Lock()
	suppressed := w.suppressed
	*w = window{}
	ws.mu.Unlock()
	r := slog.NewRecord(time.Now(), level, message, 0)
	r.Add("suppressed", suppressed)
	_ = ws.base.Handle(context.Background(), r)
}
