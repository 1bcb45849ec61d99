package logging

import (
	"context"
	"log/slog"
)

// limits say what may become of a line besides being written.
type limits int

const (
	throttled   limits = iota // kept back if it repeats, lost if there is no room
	unthrottled               // lost if there is no room
	required                  // neither
)

// handler is the slog.Handler of a Log: it hands lines to its queue.
type handler struct {
	log    *Log
	format slog.Handler // with the attributes of whoever logs
	limits limits
	target string // the attribute with that key, if whoever logs has it
}

// Enabled reports whether lines of the level are written.
func (h *handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.format.Enabled(ctx, level)
}

// Handle puts the line into the queue, keeps it back, or counts it as lost.
func (h *handler) Handle(_ context.Context, r slog.Record) error {
	if h.limits != throttled || h.log.throttle.admit(kind{r.Message, h.targetOf(r)}, r.Level) {
		h.log.put(entry{record: r.Clone(), handler: h.format}, h.limits == required)
	}
	return nil
}

// targetOf returns the target that the line is about, "" if it is about none.
func (h *handler) targetOf(r slog.Record) string {
	target := h.target
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == targetKey {
			target = a.Value.String()
		}
		return a.Key != targetKey
	})
	return target
}

// targetKey is the attribute that names a target.
const targetKey = "target"

// WithAttrs returns a handler for lines that all have these attributes.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := *h
	with.format = h.format.WithAttrs(attrs)
	for _, a := range attrs {
		if a.Key == targetKey {
			with.target = a.Value.String()
		}
	}
	return &with
}

// WithGroup returns a handler for lines whose attributes are in a group.
func (h *handler) WithGroup(name string) slog.Handler {
	with := *h
	with.format = h.format.WithGroup(name)
	return &with
}
