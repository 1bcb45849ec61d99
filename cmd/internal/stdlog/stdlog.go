// Package stdlog silences Go's standard logger, into which libraries write, from
// before they start: one has a line to say at every start of any command. A
// program imports it for that, and hands the logger to its own log later.
//
// It works because packages are initialized in the order of their paths as soon
// as those that they import are: this one needs nothing but log, without which
// no library that writes there can be initialized either.
package stdlog

import (
	"io"
	"log"
)

func init() { log.SetOutput(io.Discard) }
