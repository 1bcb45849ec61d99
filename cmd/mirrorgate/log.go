package main

import (
	"io"
	"log/slog"
)

// newLogger writes to w, not many lines of a kind; level and format are those of
// the options.
func newLogger(w io.Writer, level, format string) *slog.Logger {
	return slog.New(newThrottle(newLogHandler(w, level, format)))
}

func newLogHandler(w io.Writer, level, format string) slog.Handler {
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
