package wire

import (
	"fmt"
	"slices"
	"strings"
)

// Forwarded says what becomes of X-Forwarded-For in a request whose client is
// known (codec.Request.Source). In any other it stays as it is.
type Forwarded uint8

// What can become of it.
const (
	ForwardedKeep   Forwarded = iota
	ForwardedAppend           // the client goes behind those that are there, all in one field
	ForwardedSet              // the client alone, whatever was there
)

var forwardedNames = []string{"keep", "append", "set"}

// String returns the name that the options use.
func (f Forwarded) String() string { return forwardedNames[f] }

// ParseForwarded reads one of the above by its name.
func ParseForwarded(s string) (Forwarded, error) {
	i := slices.Index(forwardedNames, s)
	if i < 0 {
		return 0, fmt.Errorf("forwarded-for is %q, should be one of %s", s, strings.Join(forwardedNames, ", "))
	}
	return Forwarded(i), nil
}

const (
	forwardedName = "x-forwarded-for"
	// maxForwarded is what the field takes besides the values that were there.
	maxForwarded = len("x-forwarded-for: ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff\r\n")
	separator    = ", "
)

// forwards reports whether the request gets an X-Forwarded-For of ours.
func (r *Rules) forwards(p *Prepared) bool {
	return r.options.ForwardedFor != ForwardedKeep && p.Request.Source.IsValid()
}

// appendForwarded appends the field, with what the request had of it if that is
// to be kept. The request is read again for this, so that one that does not need
// it pays nothing.
func (r *Rules) appendForwarded(dst []byte, p *Prepared) []byte {
	if !r.forwards(p) {
		return dst
	}
	dst = append(dst, forwardedName+": "...)
	for it := p.Request.Headers.Iter(); r.options.ForwardedFor == ForwardedAppend && it.Next(); {
		if EqualFold(it.Name, forwardedName) && len(it.Value) > 0 {
			dst = append(append(dst, it.Value...), separator...)
		}
	}
	return append(p.Request.Source.AppendTo(dst), '\r', '\n')
}
