package codec

import "errors"

// What one NOTIFY may hold, its fragments together. HAProxy's own limits are far
// below: a configuration has a few messages, and tune.http.maxhdr allows 101
// fields in one buffer. Without these, a frame of a few megabytes would take a
// second to decode.
const (
	MaxMessages    = 64
	MaxFields      = 4000      // header fields, of all messages together
	MaxHeaderBytes = 256 << 10 // bytes of arg_hdrs, of all messages together
)

// ErrOversize says that a NOTIFY holds more than HAProxy can send.
var ErrOversize = errors.New("more than HAProxy can send")

// shortestField is the least number of bytes that a header field takes, in
// req.hdrs_bin: a name of one byte, an empty value, and their lengths. So the
// bytes of the fields nearly always say that there are not too many.
const shortestField = len("\x01n\x00")

// tooManyFields reports whether reqs have more than MaxFields header fields.
func tooManyFields(reqs []Request) bool {
	fields := 0
	for i := range reqs {
		for it := reqs[i].Headers.Iter(); it.Next(); {
			if fields++; fields > MaxFields {
				return true
			}
		}
	}
	return false
}
