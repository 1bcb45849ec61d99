package difference

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/mirrorgate/mirrorgate/fanout/compare"
)

// json writes two JSON texts member by member, those of objects sorted by name, since
// their order does not count. It reports false if one is no JSON.
func (w *writer) json(against, mirror string) bool {
	x, okX := decode(against)
	y, okY := decode(mirror)
	if !okX || !okY {
		return false
	}
	w.values(place{}, x, y)
	return true
}

func decode(text string) (v any, ok bool) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return nil, false
	}
	_, err := d.Token()
	return v, err == io.EOF
}

// absent is what one side has where only the other has a value.
type absent struct{}

// place is where values stand.
type place struct {
	path          []byte // as compare.Field has it
	indent, label string // in front of each
	comma         string // behind
}

// values writes two values that stand at the same place.
func (w *writer) values(p place, x, y any) {
	ox, objectX := x.(map[string]any)
	oy, objectY := y.(map[string]any)
	lx, listX := x.([]any)
	ly, listY := y.([]any)
	switch {
	case objectX && objectY && len(ox)+len(oy) > 0:
		all := maps.Clone(ox)
		maps.Copy(all, oy)
		names := slices.Sorted(maps.Keys(all))
		w.block(p, "{", "}", len(names), func(i int, inside place) {
			inside.path = compare.AppendKey(slices.Clip(p.path), []byte(names[i]))
			inside.label = marshal(names[i], "") + ": "
			w.values(inside, member(ox, names[i]), member(oy, names[i]))
		})
	case listX && listY && len(lx)+len(ly) > 0:
		w.block(p, "[", "]", max(len(lx), len(ly)), func(i int, inside place) {
			inside.path = append(slices.Clip(p.path), "[]"...)
			w.values(inside, element(lx, i), element(ly, i))
		})
	default:
		a, b := lines(p, x), lines(p, y)
		for i := range max(len(a), len(b)) {
			w.member(p, at(a, i), at(b, i))
		}
	}
}

// block writes what has n values inside.
func (w *writer) block(p place, open, end string, n int, inside func(i int, p place)) {
	w.member(p, p.indent+p.label+open, p.indent+p.label+open)
	for i := range n {
		next := place{indent: p.indent + "  "}
		if i < n-1 {
			next.comma = ","
		}
		inside(i, next)
	}
	w.member(p, p.indent+end+p.comma, p.indent+end+p.comma)
}

// member writes a line of what stands at the place. If all above it is missing or of
// another type, then that is the field.
func (w *writer) member(p place, against, mirror string) {
	w.add("body", against, mirror, func(f compare.Field) bool {
		rest, below := strings.CutPrefix(string(p.path), f.Path)
		return f.Layer == compare.Body && below && (rest == "" || f.Path == "" || rest[0] == '.' || rest[0] == '[')
	})
}

func member(object map[string]any, name string) any {
	if v, ok := object[name]; ok {
		return v
	}
	return absent{}
}

func element(list []any, i int) any {
	if i < len(list) {
		return list[i]
	}
	return absent{}
}

// lines returns those of one value.
func lines(p place, v any) []string {
	if v == (absent{}) {
		return nil
	}
	return strings.Split(p.indent+p.label+marshal(v, p.indent)+p.comma, "\n")
}

func marshal(v any, indent string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent(indent, "  ")
	if err := e.Encode(v); err != nil {
		panic("BUG: " + err.Error())
	}
	return strings.TrimRight(b.String(), "\n")
}
