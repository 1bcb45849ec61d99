package compare

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/mirrorgate/mirrorgate/fanout/compare/route"
)

// Diff is what a Comparer found. It is used again by the caller.
type Diff struct {
	Result Result
	// Explained is whether all layers were compared, bodies by what they mean. Only
	// explained pairs count where fields are looked at.
	Explained bool
	// ByHash is whether the bodies' bytes differ and nobody looked what that means:
	// the pair was not to be explained.
	ByHash bool
	// Fields are the places that differ, each once, in the order in which they were
	// found. Those of a body are there only if the pair was explained.
	Fields []Field
	// Line is the first line of a text that differs, counted from 1; else 0.
	Line int
}

// Differs reports whether the responses differ in this field.
func (d *Diff) Differs(f Field) bool { return slices.Contains(d.Fields, f) }

const (
	maxFields = 256     // of one Diff; further ones are OtherField
	maxPath   = 256     // bytes of a field's path
	maxPaths  = 1 << 14 // paths that a Comparer remembers
)

// Comparer compares pairs of responses. It keeps buffers for the next pair and
// belongs to one goroutine.
type Comparer struct {
	ignore  *Ignore
	diff    *Diff
	paths   map[string]string // so that a path that came before costs no allocation
	path    []byte            // where the comparison stands
	heads   [2]head
	bodies  [2]decoder
	json    [2]document
	numbers [2][]byte // as they are written
	forms   [2]form
}

// NewComparer returns a Comparer to which the rules do not count.
func NewComparer(ignore *Ignore) *Comparer {
	return &Comparer{ignore: ignore, paths: map[string]string{}}
}

// Pair compares a response with that of the reference, a. With explain it looks
// into bodies whose bytes differ; whether it does is to be decided before anything
// of the pair was looked at, or the explained pairs would be no fair sample.
func (c *Comparer) Pair(d *Diff, a, b *Response, explain bool) {
	*d = Diff{Fields: d.Fields[:0], Explained: explain}
	c.diff = d
	if a.Error != "" || b.Error != "" {
		c.failures(a, b)
		return
	}
	if a.Status != b.Status {
		c.addPrefixed(Status, "", c.statuses(a.Status, b.Status), Value)
	}
	c.grpcStatus(a, b)
	c.headers(a, b)
	before := len(d.Fields)
	known := c.body(a, b)
	switch {
	case before > 0:
		d.Result = d.Fields[0].Layer
		d.Explained = explain && (known || d.Result == Status)
	case !known:
		d.Result, d.Explained = Uncompared, false
	case len(d.Fields) > 0 || d.ByHash:
		d.Result = Body
	}
}

// failures compares when there is a response on one side at the most.
func (c *Comparer) failures(a, b *Response) {
	switch {
	case a.Error != "" && b.Error != "":
		c.diff.Result, c.diff.Explained = Uncompared, false
		return
	case a.Error != "":
		c.add(Field{Error, a.Error, Missing})
	default:
		c.add(Field{Error, b.Error, Extra})
	}
	c.diff.Result = Error
}

// grpcStatus compares what is the status of gRPC, behind the body or instead of it.
func (c *Comparer) grpcStatus(a, b *Response) {
	if sameHeaderBytes(a, b) || c.ignore.headers[grpcStatus] {
		return
	}
	x, y := FieldValue(a.Header, grpcStatus), FieldValue(b.Header, grpcStatus)
	if bytes.Equal(x, y) {
		return
	}
	c.path = append(append(c.path[:0], orNone(x)...), " → "...)
	c.path = append(c.path, orNone(y)...)
	c.addPrefixed(Status, grpcStatus+" ", c.path, Value)
}

func orNone(value []byte) []byte {
	if len(value) == 0 {
		return []byte("none")
	}
	return value
}

// grpcStatus is the field that has the status of gRPC.
const grpcStatus = "grpc-status"

func (c *Comparer) statuses(a, b int) []byte {
	c.path = strconv.AppendInt(c.path[:0], int64(a), 10)
	c.path = append(c.path, " → "...)
	return strconv.AppendInt(c.path, int64(b), 10)
}

// add notes a field, once.
func (c *Comparer) add(f Field) {
	if slices.Contains(c.diff.Fields, f) {
		return
	}
	if len(c.diff.Fields) == maxFields-1 {
		f = OtherField
	}
	if len(c.diff.Fields) < maxFields {
		c.diff.Fields = append(c.diff.Fields, f)
	}
}

func (c *Comparer) addBytes(layer Result, path []byte, kind Kind) {
	path = path[:min(len(path), maxPath)]
	known, ok := c.paths[string(path)]
	if !ok {
		if len(c.paths) == maxPaths {
			clear(c.paths)
		}
		known = strings.ToValidUTF8(string(path), "�")
		c.paths[string(path)] = known
	}
	c.add(Field{layer, known, kind})
}

func (c *Comparer) addPrefixed(layer Result, prefix string, name []byte, kind Kind) {
	var buf [maxPath]byte
	c.addBytes(layer, append(append(buf[:0], prefix...), name...), kind)
}

// AppendKey appends a key to the path of a field in JSON or a form, as Field.Path has
// it. A key that would read as something else stands in quotes.
func AppendKey(path, key []byte) []byte {
	for _, b := range key {
		if b <= ' ' || b == '.' || b == '[' || b == ']' || b == '"' || b == 0x7f {
			return append(strconv.AppendQuote(append(path, '['), string(key)), ']')
		}
	}
	if len(path) > 0 {
		path = append(path, '.')
	}
	return route.AppendSegment(path, key)
}
