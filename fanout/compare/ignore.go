package compare

import (
	"bytes"
	"fmt"
	"strings"
)

// Ignore says what does not count. It is not changed by use.
type Ignore struct {
	headers  map[string]bool // names in small letters
	fields   []string        // paths in JSON
	prefixes []string        // of requests' paths
}

// ParseIgnore reads the rules as --ignore has them: header:NAME, json:PATH (with
// all that is below it; indexes are written [], identifiers {id}) and path:PREFIX.
func ParseIgnore(rules []string) (*Ignore, error) {
	ignore := &Ignore{headers: map[string]bool{}}
	for _, rule := range rules {
		kind, what, _ := strings.Cut(rule, ":")
		switch kind {
		case "header":
			if !isToken(what) {
				return nil, fmt.Errorf("--ignore %q: %q is no header name", rule, what)
			}
			ignore.headers[strings.ToLower(what)] = true
		case "json":
			if err := checkJSONPath(what); err != nil {
				return nil, fmt.Errorf("--ignore %q: %w", rule, err)
			}
			ignore.fields = append(ignore.fields, what)
		case "path":
			if !strings.HasPrefix(what, "/") || strings.ContainsAny(what, "?# ") {
				return nil, fmt.Errorf("--ignore %q: a path starts with / and has no query", rule)
			}
			ignore.prefixes = append(ignore.prefixes, what)
		default:
			return nil, fmt.Errorf("--ignore %q: want header:NAME, json:PATH or path:PREFIX", rule)
		}
	}
	return ignore, nil
}

// Path reports whether requests with this target, in origin-form, are not to be
// compared at all.
func (ig *Ignore) Path(target []byte) bool {
	if len(ig.prefixes) == 0 {
		return false
	}
	path, _, _ := bytes.Cut(target, []byte("?"))
	for _, prefix := range ig.prefixes {
		if len(path) >= len(prefix) && string(path[:len(prefix)]) == prefix {
			return true
		}
	}
	return false
}

func (ig *Ignore) json(path []byte) bool {
	for _, f := range ig.fields {
		if len(path) >= len(f) && string(path[:len(f)]) == f && (len(path) == len(f) || path[len(f)] == '.' || path[len(f)] == '[') {
			return true
		}
	}
	return false
}

// checkJSONPath finds what would never match: an index, $ and .key at the start.
func checkJSONPath(path string) error {
	switch {
	case path == "":
		return fmt.Errorf("the path is empty; write it as items[].id")
	case strings.HasPrefix(path, "$"), strings.HasPrefix(path, "."):
		return fmt.Errorf("a path starts with a key, as in items[].id")
	case strings.HasSuffix(path, "."), strings.Contains(path, ".."):
		return fmt.Errorf("a key is empty")
	}
	for rest := path; ; {
		open := strings.IndexByte(rest, '[')
		if open < 0 {
			if strings.IndexByte(rest, ']') >= 0 {
				return fmt.Errorf("] without [")
			}
			return nil
		}
		rest = rest[open+1:]
		switch {
		case strings.HasPrefix(rest, "]"):
			rest = rest[1:]
		case strings.HasPrefix(rest, `"`):
			end := strings.Index(rest, `"]`)
			if end < 1 {
				return fmt.Errorf(`a key in quotes ends with "]`)
			}
			rest = rest[end+2:]
		default:
			return fmt.Errorf("indexes are folded: write [] for all elements")
		}
	}
}

func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return s != ""
}
