package logging

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// Log writes lines to one place, in a goroutine of its own that ends with Finish.
// All of its methods may be called from any goroutine.
type Log struct {
	format   slog.Handler // writes a line at once
	throttle *throttle
	queue    *queue
	lost     *metrics.Counter
	written  chan struct{} // closed when the goroutine ends
}

// New returns a log that writes to w, with lines of the level ("debug", "info",
// "warn" or "error") and above, as "text" or "json". The set gets
// mirrorgate_log_lost_total.
func New(w io.Writer, level, format string, set *metrics.Set) *Log {
	l := &Log{
		format:  newFormat(w, level, format),
		queue:   newQueue(),
		lost:    set.NewCounter("mirrorgate_log_lost_total"),
		written: make(chan struct{}),
	}
	l.throttle = newThrottle(l.reportSuppressed)
	go l.run()
	return l
}

func newFormat(w io.Writer, level, format string) slog.Handler {
	var options slog.HandlerOptions
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		panic("BUG: " + err.Error())
	}
	options.Level = l
	if format == "json" {
		return slog.NewJSONHandler(w, &options)
	}
	return slog.NewTextHandler(w, &options)
}

// Logger is for lines that may repeat: of those with one message, and of one
// target, only some are written. It never waits.
func (l *Log) Logger() *slog.Logger {
	return slog.New(&handler{log: l, format: l.format, limits: throttled})
}

// Unthrottled is for lines that are few enough already. It never waits.
func (l *Log) Unthrottled() *slog.Logger {
	return slog.New(&handler{log: l, format: l.format, limits: unthrottled})
}

// TakeStandard has the lines that libraries write with Go's standard logger
// written here.
func (l *Log) TakeStandard() {
	log.SetFlags(0)
	log.SetOutput(slog.NewLogLogger(l.Logger().Handler(), slog.LevelWarn).Writer())
}

// Finish has the last lines written: last logs them, and none of them is kept
// back or lost for want of room. It returns when all lines are written, but not
// later than within: then the log is stuck. What is logged afterwards is lost.
func (l *Log) Finish(within time.Duration, last func(*slog.Logger)) {
	l.throttle.endAll()
	last(slog.New(&handler{log: l, format: l.format, limits: required}))
	l.queue.close()
	select {
	case <-l.written:
	case <-time.After(within):
	}
}

// put adds a line to the queue, or counts it as lost.
func (l *Log) put(e entry, must bool) {
	if !l.queue.put(e, must) {
		l.lost.Inc()
	}
}

// reportSuppressed says how many lines of a kind the throttle kept back.
func (l *Log) reportSuppressed(k kind, level slog.Level, suppressed int) {
	r := slog.NewRecord(time.Now(), level, k.message, 0)
	if k.target != "" {
		r.Add(targetKey, k.target)
	}
	r.Add("suppressed", suppressed)
	l.put(entry{record: r, handler: l.format}, false)
}

// run writes what comes into the queue. Only here the log may hold somebody up.
func (l *Log) run() {
	defer close(l.written)
	var entries []entry
	for more := true; more; {
		<-l.queue.wake
		entries, more = l.queue.take(entries)
		for i := range entries {
			l.write(&entries[i])
		}
		clear(entries)
	}
}

// write writes a line; what cannot be written, because the disk is full or the
// reader gone, can be told to nobody.
func (l *Log) write(e *entry) {
	if e.lost > 0 {
		text := fmt.Sprintf("%d log lines lost: the log was not read", e.lost)
		e.record, e.handler = slog.NewRecord(time.Now(), slog.LevelWarn, text, 0), l.format
	}
	if e.handler.Enabled(context.Background(), e.record.Level) {
		_ = e.handler.Handle(context.Background(), e.record)
	}
}
