package configfile

import (
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/mirrorgate/mirrorgate/fanout"
	"github.com/mirrorgate/mirrorgate/fanout/record/kafka"
)

// headers reads a mapping from names to values: one header each.
func (f *File) headers(name string, m *ast.MappingNode) ([]Value, error) {
	var all []Value
	for _, entry := range m.Values {
		header := key(entry.Key)
		value, err := f.scalar(name+" "+header, entry.Value)
		if err != nil {
			return nil, err
		}
		all = append(all, Value{Text: header + ": " + value, Line: line(entry.Key)})
	}
	return all, nil
}

// The keys of a target that stand in front of the others on the command line.
const (
	nameKey = "name"
	urlKey  = "url"
)

// topic reports whether a URL is that of a topic of Kafka, which has commas between its
// brokers.
func topic(url string) bool { return kafka.IsURL(url) && !strings.ContainsAny(url, " \t\r\n") }

// target reads a mapping from the keys of a target.
func (f *File) target(m *ast.MappingNode) (Value, error) {
	target := Value{Line: line(m), Keys: make(map[string]int)}
	var name, url, keys string
	for _, entry := range m.Values {
		key := key(entry.Key)
		value, err := f.targetValue(key, entry.Value)
		if err != nil {
			return target, err
		}
		target.Keys[key] = line(entry.Key)
		switch {
		case strings.ContainsAny(value, ", \t\r\n") && !(key == urlKey && topic(value)):
			return target, f.mistake(entry.Value, "%s is %q, should have no comma and no white space", key, value)
		case key == nameKey:
			name = value + "="
		case key == urlKey:
			url = value
		case !slices.Contains(fanout.TargetKeys(), key):
			return target, f.mistake(entry.Key, "unknown key %q, should be one of %s, %s, %s",
				key, nameKey, urlKey, strings.Join(fanout.TargetKeys(), ", "))
		default:
			keys += "," + key + "=" + value
			// Alone, so that what is wrong with it has its own line.
			if _, err := fanout.ParseTarget("http://target,"+key+"="+value, fanout.DefaultTarget(), 1); err != nil {
				return target, f.mistake(entry.Key, "%v", err)
			}
		}
	}
	if url == "" {
		return target, f.mistake(m, "the target has no url, should be like url: http://staging:8080")
	}
	target.Text = name + url + keys
	return target, nil
}

// The keys of a target that may have a list, or a mapping, in the file.
var (
	listKeys = []string{"set-header", "del-header", "methods", "path", "hosts"}
	mapKeys  = []string{"set-header", "rewrite"}
)

// targetValue reads the value of a key as the command line would have it: the items of
// a list are joined with a plus.
func (f *File) targetValue(of string, n ast.Node) (string, error) {
	var items []string
	switch n := n.(type) {
	case *ast.SequenceNode:
		if !slices.Contains(listKeys, of) {
			break
		}
		for _, value := range n.Values {
			item, err := f.targetValue(of, value)
			if err != nil {
				return "", err
			}
			items = append(items, item)
		}
		return strings.Join(items, "+"), nil
	case *ast.MappingNode:
		if !slices.Contains(mapKeys, of) {
			break
		}
		for _, entry := range n.Values {
			value, err := f.scalar(of, entry.Value)
			if err != nil {
				return "", err
			}
			items = append(items, pairText(of, key(entry.Key), value))
		}
		return strings.Join(items, "+"), nil
	}
	text, err := f.scalar(of, n)
	if name, value, ok := strings.Cut(text, ":"); err == nil && of == "set-header" && ok {
		return pairText(of, name, value), nil
	}
	return text, err
}

// pairText writes what a mapping has as the command line would have it.
func pairText(of, left, right string) string {
	if of == "set-header" {
		return left + ":" + fanout.EscapeValue(strings.TrimSpace(right))
	}
	return left + "=" + right
}
