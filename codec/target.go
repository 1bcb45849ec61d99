package codec

import (
	"bytes"
	"errors"
)

// ErrTarget says that a request target is none that HTTP allows.
var ErrTarget = errors.New("malformed request target")

// ParseTarget reads a request target in any form that HAProxy sends
// (RFC 9112 section 3.2) and returns its parts for origin-form. authority is
// empty unless the target was in absolute-form; userinfo is cut from it. path
// is path and query without the fragment, "*" for the whole server; it may lack
// the leading slash where the URL has no path ("http://h?q" gives "?q"), and
// the caller puts it in front. Both point into target. Tunnels (CONNECT) are
// not for this function: authority-form is ErrTarget.
func ParseTarget(method, target []byte) (authority, path []byte, err error) {
	if len(target) == 0 {
		return nil, nil, ErrTarget
	}
	if target[0] == '/' {
		return nil, cutFragment(target), nil
	}
	options := string(method) == "OPTIONS"
	if string(target) == "*" && options {
		return nil, target, nil
	}
	scheme, rest, ok := bytes.Cut(target, schemeEnd)
	if !ok || !isScheme(scheme) {
		return nil, nil, ErrTarget
	}
	end := bytes.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	authority, path = rest[:end], cutFragment(rest[end:])
	if at := bytes.LastIndexByte(authority, '@'); at >= 0 {
		authority = authority[at+1:]
	}
	if len(authority) == 0 {
		return nil, nil, ErrTarget
	}
	if len(path) == 0 {
		// "OPTIONS *" comes as a URL without a path over HTTP/2
		// (RFC 9113 section 8.3.1 and RFC 9112 section 3.2.4).
		path = slash
		if options {
			path = asterisk
		}
	}
	return authority, path, nil
}

var (
	schemeEnd = []byte("://")
	slash     = []byte("/")
	asterisk  = []byte("*")
)

func cutFragment(b []byte) []byte {
	if i := bytes.IndexByte(b, '#'); i >= 0 {
		return b[:i]
	}
	return b
}

// isScheme checks RFC 3986 section 3.1.
func isScheme(s []byte) bool {
	for i, c := range s {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (i == 0 || !(c >= '0' && c <= '9' || c == '+' || c == '-' || c == '.')) {
			return false
		}
	}
	return len(s) > 0
}
