package configfile

import (
	"strings"

	"github.com/goccy/go-yaml/ast"
)

func (f *File) values(name string, kind Kind, n ast.Node) ([]Value, error) {
	list, isList := n.(*ast.SequenceNode)
	switch {
	case !isList:
		return f.items(name, kind, n)
	case kind == Single:
		return nil, f.mistake(n, "%s is a list, should be one value", name)
	}
	var all []Value
	for _, item := range list.Values {
		values, err := f.items(name, kind, item)
		if err != nil {
			return nil, err
		}
		all = append(all, values...)
	}
	return all, nil
}

// items reads one entry of a list, or what stands there without a list.
func (f *File) items(name string, kind Kind, n ast.Node) ([]Value, error) {
	if m, ok := n.(*ast.MappingNode); ok {
		switch kind {
		case Headers:
			return f.headers(name, m)
		case Targets:
			target, err := f.target(m)
			return []Value{target}, err
		}
	}
	text, err := f.scalar(name, n)
	if err != nil {
		return nil, err
	}
	if kind == Targets && strings.ContainsAny(text, " \t\r\n") {
		return nil, f.mistake(n, "%s is %q, should have no white space: give each target an entry of its own", name, text)
	}
	return []Value{{Text: text, Line: line(n)}}, nil
}

// scalar returns a value as it is written, whatever YAML takes it for: 0.10 is
// no other share than 0.10.
func (f *File) scalar(name string, n ast.Node) (string, error) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, nil
	case *ast.LiteralNode:
		return strings.TrimSuffix(n.Value.Value, "\n"), nil
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, nil
	case *ast.NullNode:
		return "", f.mistake(n, "%s has no value: give it one, or remove the line", name)
	case *ast.MappingNode:
		return "", f.mistake(n, "%s is a mapping, should be one value", name)
	case *ast.SequenceNode:
		return "", f.mistake(n, "%s is a list, should be one value", name)
	}
	return "", f.mistake(n, "%s should be a plain value: anchors, aliases and tags are not known here", name)
}
