package configfile

import (
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/mirrorgate/mirrorgate/fanout"
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

// target reads a mapping from the keys of a target.
func (f *File) target(m *ast.MappingNode) (Value, error) {
	target := Value{Line: line(m), Keys: make(map[string]int)}
	var name, url, keys string
	for _, entry := range m.Values {
		key := key(entry.Key)
		value, err := f.scalar(key, entry.Value)
		if err != nil {
			return target, err
		}
		target.Keys[key] = line(entry.Key)
		switch {
		case strings.ContainsAny(value, ", \t\r\n"):
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
