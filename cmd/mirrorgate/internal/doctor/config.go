package doctor

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// line is one that says something.
type line struct {
	file   string
	number int
	words  []string
}

// is reports whether the line begins with these words.
func (l *line) is(words ...string) bool {
	return len(l.words) >= len(words) && slices.Equal(l.words[:len(words)], words)
}

// word returns the i-th word, empty if there is none.
func (l *line) word(i int) string {
	if i < len(l.words) {
		return l.words[i]
	}
	return ""
}

func (l *line) has(word string) bool { return slices.Contains(l.words, word) }

// after returns the word behind the given one, empty if there is none.
func (l *line) after(word string) string {
	i := slices.Index(l.words, word)
	if i < 0 {
		return ""
	}
	return l.word(i + 1)
}

// section is a part of a configuration with the defaults that it inherits from.
type section struct {
	kind, name string
	head       *line
	lines      []*line
	defaults   *section
}

// config is a HAProxy configuration, of one file or several.
type config struct {
	sections []*section
	env      map[string]string // what setenv and presetenv say
	getenv   func(string) string
	defaults *section // the last
}

// sectionKinds are the words that begin a section.
var sectionKinds = []string{
	"global", "defaults", "frontend", "backend", "listen",
	"acme", "cache", "crt-store", "fcgi-app", "http-errors", "log-forward", "log-profile", "mailers", "peers",
	"program", "resolvers", "ring", "traces", "userlist",
}

// readConfig reads files in their order; of a directory, those named *.cfg.
func readConfig(files []string, getenv func(string) string) (*config, error) {
	c := &config{env: make(map[string]string)}
	c.getenv = func(name string) string {
		if value, ok := c.env[name]; ok {
			return value
		}
		return getenv(name)
	}
	for _, name := range files {
		paths := []string{name}
		if info, err := os.Stat(name); err == nil && info.IsDir() {
			paths, _ = filepath.Glob(filepath.Join(name, "*.cfg")) // sorted, as HAProxy reads them
			if len(paths) == 0 {
				return nil, fmt.Errorf("%s: the directory has no file named *.cfg", name)
			}
		}
		for _, path := range paths {
			if err := c.read(path); err != nil {
				return nil, err
			}
		}
	}
	return c, nil
}

func (c *config) read(path string) error {
	var current *section
	return readLines(path, c.getenv, func(l *line) error {
		switch {
		case strings.HasPrefix(l.words[0], "."): // .if, .notice and the like
		case slices.Contains(sectionKinds, l.words[0]):
			current = c.open(l)
		case current == nil:
			return fmt.Errorf("%s:%d: %q stands outside of any section: is this a HAProxy configuration?", l.file, l.number, l.words[0])
		default:
			current.lines = append(current.lines, l)
			c.remember(l)
		}
		return nil
	})
}

// open begins a section. Proxies inherit from the defaults that they name, or
// else from the last.
func (c *config) open(l *line) *section {
	s := &section{kind: l.word(0), name: l.word(1), head: l}
	if from := l.after("from"); from != "" {
		s.defaults = c.find("defaults", from)
	} else if s.proxy() {
		s.defaults = c.defaults
	}
	if s.kind == "defaults" {
		c.defaults = s
	}
	c.sections = append(c.sections, s)
	return s
}

// remember keeps the variables that lines after this one may use.
func (c *config) remember(l *line) {
	switch {
	case l.is("setenv"), l.is("presetenv") && c.getenv(l.word(1)) == "":
		c.env[l.word(1)] = l.word(2)
	}
}

// readLines gives each what a file says, line by line: what one says may be a
// variable for the next. Lines that say nothing are left out.
func readLines(path string, getenv func(string) string, each func(*line) error) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	number := 0
	for raw := range strings.Lines(string(text)) {
		number++
		words, err := splitWords(strings.TrimRight(raw, "\r\n"), getenv)
		if err != nil {
			return fmt.Errorf("%s:%d: %w", path, number, err)
		}
		if len(words) == 0 {
			continue
		}
		if err := each(&line{path, number, words}); err != nil {
			return err
		}
	}
	return nil
}

// find returns the section of a kind with a name, nil if there is none.
func (c *config) find(kind, name string) *section {
	for _, s := range c.sections {
		if s.kind == kind && s.name == name {
			return s
		}
	}
	return nil
}

// global returns the last line of the global sections that begins with word, nil
// if there is none.
func (c *config) global(word string) (found *line) {
	for _, s := range c.sections {
		if s.kind == "global" {
			if l := s.own(word); l != nil {
				found = l
			}
		}
	}
	return found
}

func (s *section) proxy() bool {
	return s.kind == "frontend" || s.kind == "backend" || s.kind == "listen"
}

// own returns the section's last line that begins with these words, nil if there
// is none.
func (s *section) own(words ...string) *line {
	for _, l := range slices.Backward(s.lines) {
		if l.is(words...) {
			return l
		}
	}
	return nil
}

// get is like own, with what is inherited.
func (s *section) get(words ...string) *line {
	for ; s != nil; s = s.defaults {
		if l := s.own(words...); l != nil {
			return l
		}
	}
	return nil
}

// option returns the line that turns an option on, nil if it is off.
func (s *section) option(name string) *line {
	for ; s != nil; s = s.defaults {
		for _, l := range slices.Backward(s.lines) {
			if l.is("no", "option", name) {
				return nil
			}
			if l.is("option", name) {
				return l
			}
		}
	}
	return nil
}

// all returns the lines that begin with word: those of defaults first.
func (s *section) all(word string) (found []*line) {
	if s == nil {
		return nil
	}
	found = s.defaults.all(word)
	for _, l := range s.lines {
		if l.is(word) {
			found = append(found, l)
		}
	}
	return found
}
