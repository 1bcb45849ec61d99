package main

import (
	"io"
	"log/slog"
)

// newLogger writes to w; level and format are those of the options.
func newLogger(w io.Writer, level, format string) *slog.Logger {
	var options slog.HandlerOptions
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		panic("BUG: " + err.Error())
	}
	options.Level = l
	var handler slog.Handler = slog.NewTextHandler(w, &options)
	if format == "json" {
		handler = slog.NewJSONHandler(w, &options)
	}
	return slog.New(newThrottle(handler))
}
