package difference

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strings"
)

// jsonRows writes two JSON texts member by member, those of objects sorted by name,
// since their order does not count. It reports false if one is no JSON.
func jsonRows(against, mirror string) ([]Row, bool) {
	x, okX := decode(against)
	y, okY := decode(mirror)
	if !okX || !okY {
		return nil, false
	}
	var p pair
	p.values("", "", x, y, "")
	return p.rows, true
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

// pair are the rows of two values that are written side by side.
type pair struct{ rows []Row }

// values writes two values; label stands in front of each, comma behind.
func (p *pair) values(indent, label string, x, y any, comma string) {
	ox, objectX := x.(map[string]any)
	oy, objectY := y.(map[string]any)
	lx, listX := x.([]any)
	ly, listY := y.([]any)
	switch {
	case objectX && objectY && len(ox)+len(oy) > 0:
		p.add(indent+label+"{", indent+label+"{")
		all := maps.Clone(ox)
		maps.Copy(all, oy)
		names := slices.Sorted(maps.Keys(all))
		for i, name := range names {
			p.values(indent+"  ", quoted(name)+": ", member(ox, name), member(oy, name), commaAfter(i, len(names)))
		}
		p.add(indent+"}"+comma, indent+"}"+comma)
	case listX && listY && len(lx)+len(ly) > 0:
		p.add(indent+label+"[", indent+label+"[")
		n := max(len(lx), len(ly))
		for i := range n {
			p.values(indent+"  ", "", element(lx, i), element(ly, i), commaAfter(i, n))
		}
		p.add(indent+"]"+comma, indent+"]"+comma)
	default:
		a, b := text(indent, label, x, comma), text(indent, label, y, comma)
		for i := range max(len(a), len(b)) {
			p.add(at(a, i), at(b, i))
		}
	}
}

func (p *pair) add(against, mirror string) { p.rows = append(p.rows, row("body", against, mirror)) }

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

func commaAfter(i, n int) string {
	if i < n-1 {
		return ","
	}
	return ""
}

// text returns the lines of one value.
func text(indent, label string, v any, comma string) []string {
	if v == (absent{}) {
		return nil
	}
	return strings.Split(indent+label+marshal(v, indent)+comma, "\n")
}

func quoted(name string) string { return marshal(name, "") }

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
