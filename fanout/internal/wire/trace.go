package wire

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// Trace says what becomes of the trace context of a request (W3C Trace Context).
type Trace uint8

// What can become of it.
const (
	TraceKeep Trace = iota // it stays: spans of the target are those of production's trace
	TraceNew               // each copy has a trace of its own
	TraceDrop              // copies have none
)

var traceNames = []string{"keep", "new", "drop"}

// String returns the name that the options use.
func (t Trace) String() string { return traceNames[t] }

// ParseTrace reads one of the above by its name.
func ParseTrace(s string) (Trace, error) {
	i := slices.Index(traceNames, s)
	if i < 0 {
		return 0, fmt.Errorf("trace is %q, should be one of %s", s, strings.Join(traceNames, ", "))
	}
	return Trace(i), nil
}

const traceName = "traceparent"

// traceFields are what TraceNew and TraceDrop leave out.
var traceFields = []string{traceName, "tracestate", "baggage"}

// traceLine is the length of the line of traceparent: version, trace, parent, flags
// (W3C Trace Context section 3.2).
const traceLine = len(traceName + ": 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n")

// appendTrace appends a traceparent that no other copy has, with the flags of the
// request's own: whoever decided that it is sampled decided for its copies. One
// without a trace is sampled.
func (r *Rules) appendTrace(dst []byte, p *Prepared) []byte {
	flags := []byte("01")
	for it := p.Request.Headers.Iter(); it.Next(); {
		if EqualFold(it.Name, traceName) && len(it.Value) == traceLine-len(traceName+": \r\n") {
			if own := it.Value[len(it.Value)-2:]; isHex(own[0]) && isHex(own[1]) {
				flags = own
			}
		}
	}
	var id [24]byte
	for i := 0; i < len(id); i += 8 {
		bits := rand.Uint64() | 1 // neither id may be zero
		for j := range 8 {
			id[i+j] = byte(bits >> (8 * j))
		}
	}
	dst = append(dst, traceName+": 00-"...)
	dst = hex.AppendEncode(dst, id[:16])
	dst = append(dst, '-')
	dst = hex.AppendEncode(dst, id[16:])
	return append(append(append(dst, '-'), flags...), '\r', '\n')
}

func isHex(c byte) bool { return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' }
