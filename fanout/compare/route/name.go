package route

import "bytes"

// Other is the name of all that has no route of its own.
const Other = "other"

// maxName is the length in bytes of the longest name; longer ones are Other.
const maxName = 256

// Namer names routes. It is not changed by use.
type Namer struct {
	Patterns []Pattern // the first that matches names the route
}

// AppendName appends the route's name. The target is a request's, in origin-form;
// its query does not count. Bytes that are not printable ASCII are written as
// percent-encoding does.
func (n Namer) AppendName(dst, method, target []byte) []byte {
	path, _, _ := bytes.Cut(target, question)
	for _, p := range n.Patterns {
		if p.Match(method, path) {
			dst = append(dst, p.method...)
			dst = append(dst, ' ')
			return append(dst, p.path...)
		}
	}
	start := len(dst)
	dst = appendPrintable(dst, method)
	dst = append(dst, ' ')
	for more := true; more; {
		var segment []byte
		segment, path, more = bytes.Cut(path, slash)
		if varies(segment) {
			dst = append(dst, ID...)
		} else {
			dst = appendPrintable(dst, segment)
		}
		if more {
			dst = append(dst, '/')
		}
		if len(dst)-start > maxName {
			return append(dst[:start], Other...)
		}
	}
	return dst
}

func appendPrintable(dst, b []byte) []byte {
	const hex = "0123456789ABCDEF"
	for _, c := range b {
		if c <= ' ' || c > '~' {
			dst = append(dst, '%', hex[c>>4], hex[c&15])
			continue
		}
		dst = append(dst, c)
	}
	return dst
}

var question = []byte("?")
