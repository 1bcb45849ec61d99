package configfile

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/spelling"
)

// Kind is what the value of an option may be.
type Kind uint8

const (
	Single  Kind = iota // one value
	List                // values, or one
	Headers             // a List with mappings from names to values in it
	Targets             // a List with mappings from the keys of a target in it
)

// File is a configuration file.
type File struct {
	Path    string
	Options map[string]Option // by name, without dashes
}

// Option is what the file says of one.
type Option struct {
	Line   int
	Values []Value
}

// Value is one value of an option, as the command line would have it.
type Value struct {
	Text string
	Line int
	Keys map[string]int // the line of each key, of a target that is a mapping
}

// At returns the place of a line for a message: FILE:LINE.
func (f *File) At(line int) string { return fmt.Sprintf("%s:%d", f.Path, line) }

// Read reads the file. kinds are the options that there are. Errors are one line
// that says where the mistake is, and what would be right.
func Read(path string, kinds map[string]Kind) (*File, error) {
	text, err := ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read configuration: %w", err)
	}
	return Parse(path, text, kinds)
}

// Parse is Read for a text that was read from path.
func Parse(path string, text []byte, kinds map[string]Kind) (*File, error) {
	f := &File{Path: path, Options: make(map[string]Option)}
	if line := tooDeep(text); line > 0 {
		return nil, fmt.Errorf("%s: more than %d levels of lists and mappings", f.At(line), maxLevels)
	}
	document, err := parseYAML(text)
	if err != nil {
		return nil, f.syntax(err)
	}
	for i, doc := range document.Docs {
		switch {
		case doc.Body == nil:
		case i > 0:
			return nil, f.mistake(doc.Body, "a second document: put all options into one")
		default:
			if err := f.read(doc.Body, kinds); err != nil {
				return nil, err
			}
		}
	}
	return f, nil
}

// parseYAML makes an error of a panic: a file that is read again at a reload must
// not end a gateway that runs.
func parseYAML(text []byte) (file *ast.File, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("cannot parse YAML: %v", p)
		}
	}()
	text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")) // the parser counts some of them twice
	return parser.ParseBytes(text, 0)
}

func (f *File) read(body ast.Node, kinds map[string]Kind) error {
	if body.Type() == ast.CommentType || body.Type() == ast.NullType {
		return nil
	}
	options, ok := body.(*ast.MappingNode)
	if !ok {
		return f.mistake(body, "should be lines of OPTION: VALUE, like sample: 10%%")
	}
	for _, entry := range options.Values {
		name := key(entry.Key)
		kind, ok := kinds[name]
		if !ok {
			return f.mistake(entry.Key, "unknown option %s", suggest(name, kinds))
		}
		option := Option{Line: line(entry.Key)}
		var err error
		if option.Values, err = f.values(name, kind, entry.Value); err != nil {
			return err
		}
		f.Options[name] = option
	}
	return nil
}

// suggest names the option that name may have been meant for.
func suggest(name string, kinds map[string]Kind) string {
	names := slices.Sorted(maps.Keys(kinds))
	if nearest := spelling.Nearest(strings.TrimPrefix(strings.ReplaceAll(name, "_", "-"), "--"), names); nearest != "" {
		return fmt.Sprintf("%s, did you mean %s?", name, nearest)
	}
	return fmt.Sprintf("%s, should be one of %s", name, strings.Join(names, ", "))
}

// key returns a key without its quotes.
func key(n ast.MapKeyNode) string {
	if s, ok := n.(*ast.StringNode); ok {
		return s.Value
	}
	return n.String()
}

func line(n ast.Node) int { return n.GetToken().Position.Line }

func (f *File) mistake(at ast.Node, format string, args ...any) error {
	return fmt.Errorf("%s: %s", f.At(line(at)), fmt.Sprintf(format, args...))
}

// syntax makes one line of an error of the parser, which draws a picture.
func (f *File) syntax(err error) error {
	var where yaml.Error
	if !errors.As(err, &where) {
		return fmt.Errorf("%s: %w", f.Path, err)
	}
	return fmt.Errorf("%s: %s", f.At(where.GetToken().Position.Line), where.GetMessage())
}
