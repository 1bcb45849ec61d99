package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// engine is one scope of an SPOE file: all between [name] and the next.
type engine struct {
	name     string
	agent    *section
	messages []*section
	groups   []*section
}

// message returns the message of that name, nil if there is none.
func (e *engine) message(name string) *section { return named(e.messages, name) }

func named(sections []*section, name string) *section {
	i := slices.IndexFunc(sections, func(s *section) bool { return s.name == name })
	if i < 0 {
		return nil
	}
	return sections[i]
}

// readSPOE reads the engines of a file by their name; what stands before the
// first [name] has an empty one.
func readSPOE(path string, getenv func(string) string) (map[string]*engine, error) {
	engines := make(map[string]*engine)
	scope := func(name string) *engine {
		if engines[name] == nil {
			engines[name] = &engine{name: name}
		}
		return engines[name]
	}
	name := ""
	var current *section
	err := readLines(path, getenv, func(l *line) error {
		s := &section{kind: l.word(0), name: l.word(1), head: l}
		switch first := l.word(0); {
		case strings.HasPrefix(first, "[") && strings.HasSuffix(first, "]"):
			name, current = first[1:len(first)-1], nil
			scope(name)
		case first == "spoe-agent":
			current, scope(name).agent = s, s
		case first == "spoe-message":
			current, scope(name).messages = s, append(scope(name).messages, s)
		case first == "spoe-group":
			current, scope(name).groups = s, append(scope(name).groups, s)
		case current != nil:
			current.lines = append(current.lines, l)
		}
		return nil
	})
	return engines, err
}

// engineOf reads the engine that a filter names, and reports what is wrong with
// it. Without a name it is the only one there is.
func (x *examination) engineOf(filter *line) *engine {
	path, name := filter.after("config"), filter.after("engine")
	if path == "" {
		x.bite(filter, "the filter names no SPOE file", "append config FILE")
		return nil
	}
	engines, err := readSPOE(beside(path, filter.file), x.config.getenv)
	if err != nil {
		var cause *fs.PathError
		if errors.As(err, &cause) {
			err = cause.Err
		}
		x.bite(filter, fmt.Sprintf("cannot read the SPOE file %s: %v", path, err), "write it with mirrorgate config haproxy --part spoe, or correct the path")
		return nil
	}
	names := slices.Sorted(maps.Keys(engines))
	if name == "" && len(names) == 1 {
		name = names[0]
	}
	e := engines[name]
	switch {
	case e == nil && len(names) == 0:
		x.bite(filter, fmt.Sprintf("the SPOE file %s is empty", path), "write it with mirrorgate config haproxy --part spoe")
	case e == nil:
		x.bite(filter, fmt.Sprintf("engine %q is not in %s, which has [%s]", name, path, strings.Join(names, "], [")), "write one of these names behind engine")
	case e.agent == nil:
		x.bite(filter, fmt.Sprintf("engine %q of %s has no spoe-agent section", name, path), "write it with mirrorgate config haproxy --part spoe")
	default:
		return e
	}
	return nil
}

// beside returns where a relative path leads: HAProxy starts from its working
// directory, which is often that of its configuration.
func beside(path, config string) string {
	if filepath.IsAbs(path) {
		return path
	}
	if _, err := os.Stat(path); err == nil {
		return path
	}
	return filepath.Join(filepath.Dir(config), path)
}
