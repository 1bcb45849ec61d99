package compare

import (
	"bytes"
)

// body compares the bodies and notes what differs. It reports false if they cannot
// be compared.
func (c *Comparer) body(a, b *Response) (known bool) {
	if !a.Complete || !b.Complete {
		return false
	}
	codingA, codingB := FieldValue(a.Header, "content-encoding"), FieldValue(b.Header, "content-encoding")
	sameCoding := bytes.EqualFold(codingA, codingB)
	if a.Hash == b.Hash && a.Length == b.Length && sameCoding {
		return true
	}
	if !c.diff.Explained {
		c.diff.ByHash = sameCoding || a.kept() && b.kept()
		return c.diff.ByHash
	}
	if a.kept() && b.kept() {
		x, okX := c.bodies[0].decode(a.Body, codingA)
		y, okY := c.bodies[1].decode(b.Body, codingB)
		if okX && okY {
			c.decoded(x, y, FieldValue(a.Header, "content-type"), FieldValue(b.Header, "content-type"))
			return true
		}
	}
	if sameCoding {
		c.addBytes(Body, nil, Value)
	}
	return sameCoding
}

// Content returns the body of a response without its content codings, as far as it
// can be had: else the bytes that were kept. It is borrowed until the next call.
func (c *Comparer) Content(r *Response) []byte {
	if decoded, ok := c.bodies[0].decode(r.Body, FieldValue(r.Header, "content-encoding")); ok {
		return decoded
	}
	return r.Body
}

// decoded compares two bodies, whose codings were taken off, by their kind.
func (c *Comparer) decoded(x, y, typeX, typeY []byte) {
	if bytes.Equal(x, y) {
		return
	}
	kind := kindOf(typeX, x)
	if kind != kindOf(typeY, y) {
		c.addBytes(Body, nil, Type)
		return
	}
	switch kind {
	case jsonBody:
		c.jsonBodies(x, y)
	case formBody:
		c.formBodies(x, y)
	case textBody:
		c.diff.Line = firstLine(x, y)
		c.addBytes(Body, nil, Value)
	default:
		c.addBytes(Body, nil, Value)
	}
}

// firstLine is the number of the first line that differs.
func firstLine(x, y []byte) int {
	n := 0
	for n < len(x) && n < len(y) && x[n] == y[n] {
		n++
	}
	return 1 + bytes.Count(x[:n], []byte("\n"))
}

type bodyKind uint8

const (
	otherBody bodyKind = iota
	jsonBody
	formBody
	textBody
)

// kindOf tells the kind of a body from its media type. Without one, what begins
// like JSON is taken for JSON.
func kindOf(mediaType, body []byte) bodyKind {
	mediaType, _, _ = bytes.Cut(mediaType, []byte(";"))
	mediaType = bytes.TrimRight(mediaType, " \t")
	is := func(s string) bool { return len(mediaType) == len(s) && bytes.EqualFold(mediaType, []byte(s)) }
	ends := func(s string) bool {
		return len(mediaType) >= len(s) && bytes.EqualFold(mediaType[len(mediaType)-len(s):], []byte(s))
	}
	switch {
	case len(mediaType) == 0:
		if body = bytes.TrimLeft(body, " \t\r\n"); len(body) > 0 && (body[0] == '{' || body[0] == '[') {
			return jsonBody
		}
		return otherBody
	case ends("/json"), ends("+json"):
		return jsonBody
	case is("application/x-www-form-urlencoded"):
		return formBody
	case len(mediaType) > 5 && bytes.EqualFold(mediaType[:5], []byte("text/")),
		ends("/xml"), ends("+xml"), ends("/javascript"), ends("/x-ndjson"), ends("/yaml"):
		return textBody
	}
	return otherBody
}

// FieldValue returns the value of the first field of this name, which is in small
// letters.
func FieldValue(header []byte, name string) []byte {
	for len(header) > 0 {
		size := lineSize(header)
		text := header[:size]
		header = header[size:]
		if len(text) > len(name) && text[len(name)] == ':' && bytes.EqualFold(text[:len(name)], []byte(name)) {
			return bytes.Trim(text[len(name)+1:], " \t\r\n")
		}
	}
	return nil
}
