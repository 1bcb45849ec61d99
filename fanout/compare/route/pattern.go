package route

import (
	"bytes"
	"fmt"
	"strings"
)

// Pattern is a route that the user names: a method, or * for any, and a path in
// which * stands for one segment.
type Pattern struct {
	method string
	path   string
}

// ParsePattern reads a pattern as --route has it: 'GET /api/shops/*/orders'.
func ParsePattern(s string) (Pattern, error) {
	method, path, ok := strings.Cut(s, " ")
	if !ok || method == "" || !strings.HasPrefix(path, "/") || strings.ContainsAny(path, " ?#") {
		return Pattern{}, fmt.Errorf("--route %q: want a method and a path without query, as in 'GET /api/shops/*/orders'", s)
	}
	for _, segment := range strings.Split(path, "/") {
		if segment != "*" && strings.Contains(segment, "*") {
			return Pattern{}, fmt.Errorf("--route %q: * stands for a whole segment, not for a part of %q", s, segment)
		}
	}
	return Pattern{method, path}, nil
}

func (p Pattern) String() string { return p.method + " " + p.path }

// Match reports whether a request belongs to the route. The path is without
// query.
func (p Pattern) Match(method, path []byte) bool {
	if p.method != "*" && p.method != string(method) {
		return false
	}
	want := p.path
	for {
		w, rest, wantMore := strings.Cut(want, "/")
		segment, tail, more := bytes.Cut(path, slash)
		if wantMore != more || w != string(segment) && (w != "*" || len(segment) == 0) {
			return false
		}
		if !more {
			return true
		}
		want, path = rest, tail
	}
}

var slash = []byte("/")
