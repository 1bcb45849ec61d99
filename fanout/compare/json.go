package compare

import (
	"bytes"
	"slices"

	"github.com/valyala/fastjson"
)

// maxValues bounds what a document takes in memory: some 100 bytes for each value.
const maxValues = 100_000

// keptValues is up to how many values a parser that is used again holds.
const keptValues = 10_000

// document parses JSON. It is used again.
type document struct {
	parser  fastjson.Parser
	values  int
	members []member // of the objects that are being compared, innermost last
}

type member struct {
	key   []byte
	value *fastjson.Value
}

// parse returns nil if this is no JSON, or has too many values.
func (d *document) parse(b []byte) *fastjson.Value {
	if d.values > keptValues {
		*d = document{}
	}
	d.values = 1 + bytes.Count(b, []byte(",")) + bytes.Count(b, []byte("[")) + bytes.Count(b, []byte("{"))
	if d.values > maxValues {
		return nil
	}
	v, err := d.parser.ParseBytes(b)
	if err != nil {
		return nil
	}
	return v
}

// push adds the members of an object to the stack and returns them.
func (d *document) push(v *fastjson.Value) []member {
	start := len(d.members)
	object, _ := v.Object()
	object.Visit(func(key []byte, v *fastjson.Value) { d.members = append(d.members, member{key, v}) })
	return d.members[start:]
}

func (d *document) pop(members []member) { d.members = d.members[:len(d.members)-len(members)] }

func (c *Comparer) jsonBodies(x, y []byte) {
	v, w := c.json[0].parse(x), c.json[1].parse(y)
	c.path = c.path[:0]
	switch {
	case v != nil && w != nil:
		c.values(v, w)
	case v == nil && w == nil:
		c.addBytes(Body, nil, Value)
	default:
		c.addBytes(Body, nil, Type)
	}
}

// values compares what stands at c.path.
func (c *Comparer) values(v, w *fastjson.Value) {
	t := v.Type()
	if u := w.Type(); t != u {
		if isBool(t) && isBool(u) {
			c.addJSON(Value)
		} else {
			c.addJSON(Type)
		}
		return
	}
	switch t {
	case fastjson.TypeObject:
		c.objects(v, w)
	case fastjson.TypeArray:
		c.arrays(v, w)
	case fastjson.TypeString:
		a, _ := v.StringBytes()
		b, _ := w.StringBytes()
		if !bytes.Equal(a, b) {
			c.addJSON(Value)
		}
	case fastjson.TypeNumber:
		c.numbers[0], c.numbers[1] = v.MarshalTo(c.numbers[0][:0]), w.MarshalTo(c.numbers[1][:0])
		if !sameNumber(c.numbers[0], c.numbers[1]) {
			c.addJSON(Value)
		}
	}
}

func isBool(t fastjson.Type) bool { return t == fastjson.TypeTrue || t == fastjson.TypeFalse }

func (c *Comparer) addJSON(kind Kind) {
	if !c.ignore.json(c.path) {
		c.addBytes(Body, c.path, kind)
	}
}

// arrays compares element by element: the order counts.
func (c *Comparer) arrays(v, w *fastjson.Value) {
	a, _ := v.Array()
	b, _ := w.Array()
	end := len(c.path)
	c.path = append(c.path, "[]"...)
	for i := range min(len(a), len(b)) {
		c.values(a[i], b[i])
	}
	switch {
	case len(a) > len(b):
		c.addJSON(Missing)
	case len(a) < len(b):
		c.addJSON(Extra)
	}
	c.path = c.path[:end]
}

// objects compares member by member, whatever their order.
func (c *Comparer) objects(v, w *fastjson.Value) {
	membersA, membersB := c.json[0].push(v), c.json[1].push(w)
	a, b := membersA, membersB
	if !slices.EqualFunc(a, b, sameKey) {
		slices.SortStableFunc(a, byKey)
		slices.SortStableFunc(b, byKey)
	}
	end := len(c.path)
	for len(a) > 0 || len(b) > 0 {
		switch order := nextMember(a, b); {
		case order < 0:
			c.path = AppendKey(c.path, a[0].key)
			c.addJSON(Missing)
			a = a[1:]
		case order > 0:
			c.path = AppendKey(c.path, b[0].key)
			c.addJSON(Extra)
			b = b[1:]
		default:
			c.path = AppendKey(c.path, a[0].key)
			c.values(a[0].value, b[0].value)
			a, b = a[1:], b[1:]
		}
		c.path = c.path[:end]
	}
	c.json[0].pop(membersA)
	c.json[1].pop(membersB)
}

func sameKey(a, b member) bool { return bytes.Equal(a.key, b.key) }

func byKey(a, b member) int { return bytes.Compare(a.key, b.key) }

// nextMember says which side goes on: -1 the first alone, 1 the second alone, 0
// both.
func nextMember(a, b []member) int {
	if end := compareEnds(len(a), len(b)); end != 0 {
		return end
	}
	return byKey(a[0], b[0])
}
