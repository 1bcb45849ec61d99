// Package logging writes the log of mirrorgate so that it holds nothing up: who
// logs, with a lock or on an event loop, only puts a line into a queue. One
// goroutine, which belongs to the Log, writes what is there; if nobody reads the
// log, it alone waits, and lines that find no room are counted.
//
// The way of a line through the files:
//
//	handler.go   takes it from slog, with the attributes of whoever logs
//	throttle.go  keeps back what repeats
//	queue.go     where lines wait; those that find no room are lost
//	log.go       the goroutine that writes them, from New to Finish
//
// Locks: throttle.mu and queue.mu are taken one after the other, never one
// within the other, and nothing is written while one of them is held.
package logging
