package fanout

import (
	"bytes"
	"fmt"
	"net"
	"strings"

	"github.com/mirrorgate/mirrorgate/fanout/internal/wire"
)

// filterReason says why a group does not get a request that was not rejected.
type filterReason uint8

const (
	filterNone filterReason = iota
	filterMethod
	filterPath
	filterHost
	filterUpgrade
	filterReasons // how many there are
)

var filterNames = [filterReasons]string{"", "method", "path", "host", "upgrade"}

// filter says which requests a group gets.
type filter struct {
	methods  []string // empty: all
	paths    []string // patterns; empty: all
	hosts    []string // patterns in lower case; empty: all
	upgrades bool
}

func newFilter(t *TargetConfig) filter {
	f := filter{methods: t.Methods, paths: t.Paths, upgrades: t.Upgrades}
	for _, host := range t.Hosts {
		f.hosts = append(f.hosts, strings.ToLower(host))
	}
	return f
}

// refuses returns why the group does not get the request, filterNone if it does.
func (f *filter) refuses(p *wire.Prepared) filterReason {
	switch {
	case len(f.methods) > 0 && !f.wants(p.Request.Method):
		return filterMethod
	case len(f.paths) > 0 && !f.hasPath(p.Path):
		return filterPath
	case len(f.hosts) > 0 && !f.hasHost(p.Host()):
		return filterHost
	case !f.upgrades && p.Upgrades():
		return filterUpgrade
	}
	return filterNone
}

func (f *filter) wants(method []byte) bool {
	for _, m := range f.methods {
		if string(method) == m {
			return true
		}
	}
	return false
}

// hasPath matches the path without its query, as it came: nothing is decoded.
func (f *filter) hasPath(path []byte) bool {
	if query := bytes.IndexByte(path, '?'); query >= 0 {
		path = path[:query]
	}
	if len(path) == 0 {
		path = slash
	}
	for _, pattern := range f.paths {
		if matches(pattern, path, false) {
			return true
		}
	}
	return false
}

var slash = []byte("/")

// hasHost matches the host without its port, in any case.
func (f *filter) hasHost(host []byte) bool {
	if colon := bytes.LastIndexByte(host, ':'); colon >= 0 && bytes.IndexByte(host[colon:], ']') < 0 {
		host = host[:colon]
	}
	for _, pattern := range f.hosts {
		if matches(pattern, host, true) {
			return true
		}
	}
	return false
}

// matches reports whether the pattern is that of the whole text. * stands for any
// number of bytes, slashes too. With fold, letters of the text count as small ones.
func matches(pattern string, text []byte, fold bool) bool {
	star, behind := -1, 0 // the last * and where the text behind what it takes begins
	p, t := 0, 0
	for t < len(text) {
		c := text[t]
		if fold && c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, behind = p, t
			p++
		case p < len(pattern) && pattern[p] == c:
			p++
			t++
		case star >= 0:
			behind++
			p, t = star+1, behind
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

func (t *TargetConfig) validateFilter() error {
	for _, pattern := range t.Paths {
		if pattern == "" || pattern[0] != '/' && pattern[0] != '*' || strings.ContainsAny(pattern, "?#") || !wire.ValidPath([]byte(pattern)) {
			return fmt.Errorf("path has %q, should be of paths without a query, like /api/*", pattern)
		}
	}
	for _, pattern := range t.Hosts {
		if _, _, err := net.SplitHostPort(pattern); err == nil || pattern == "" || !wire.ValidHost([]byte(pattern)) {
			return fmt.Errorf("hosts has %q, should be of names without a port, like shop.example.com or *.example.com", pattern)
		}
	}
	return nil
}
