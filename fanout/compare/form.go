package compare

import (
	"bytes"
	"slices"
)

// form is a body of application/x-www-form-urlencoded, made ready to be compared.
// It is used again.
type form struct {
	buf   []byte
	pairs []line
}

// read decodes the pairs and sorts them by key, so that values of one key stay in
// order.
func (f *form) read(body []byte) {
	if cap(f.buf) > keptBuffer {
		*f = form{}
	}
	f.buf = slices.Grow(f.buf[:0], len(body))
	f.pairs = f.pairs[:0]
	for more := len(body) > 0; more; {
		var pair []byte
		pair, body, more = bytes.Cut(body, []byte("&"))
		if len(pair) == 0 {
			continue
		}
		key, value, _ := bytes.Cut(pair, []byte("="))
		f.pairs = append(f.pairs, line{f.decode(key), f.decode(value)})
	}
	slices.SortStableFunc(f.pairs, func(a, b line) int { return bytes.Compare(a.name, b.name) })
}

func (f *form) decode(s []byte) []byte {
	start := len(f.buf)
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '+':
			c = ' '
		case c == '%' && i+2 < len(s) && unhex(s[i+1]) < 16 && unhex(s[i+2]) < 16:
			c = unhex(s[i+1])<<4 | unhex(s[i+2])
			i += 2
		}
		f.buf = append(f.buf, c)
	}
	return f.buf[start:]
}

func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 0xff
}

func (c *Comparer) formBodies(x, y []byte) {
	c.forms[0].read(x)
	c.forms[1].read(y)
	for a, b := c.forms[0].pairs, c.forms[1].pairs; len(a) > 0 || len(b) > 0; {
		key := leastName(a, b)
		na, nb := named(a, key), named(b, key)
		c.path = AppendKey(c.path[:0], key)
		switch {
		case nb == 0:
			c.addBytes(Body, c.path, Missing)
		case na == 0:
			c.addBytes(Body, c.path, Extra)
		case !slices.EqualFunc(a[:na], b[:nb], func(p, q line) bool { return bytes.Equal(p.value, q.value) }):
			c.addBytes(Body, c.path, Value)
		}
		a, b = a[na:], b[nb:]
	}
}
