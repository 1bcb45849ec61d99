package compare

import (
	"bytes"
	"slices"
)

// uncounted are header fields that say nothing about the response's meaning, or
// that are about the connection (RFC 9110 section 7.6.1) and the coding, or that
// identify the request.
var uncounted = map[string]bool{
	"date": true, "age": true, "server": true, "via": true,
	grpcStatus:   true, // is compared as the status
	"connection": true, "keep-alive": true, "proxy-connection": true, "te": true, "trailer": true, "upgrade": true,
	"transfer-encoding": true, "content-encoding": true, "content-length": true,
	"traceparent": true, "tracestate": true, "cf-ray": true, "x-amz-id-2": true, "x-cloud-trace-context": true,
	"b3": true, "x-b3-traceid": true, "x-b3-spanid": true, "x-b3-parentspanid": true, "x-b3-sampled": true,
}

// idNames end the names of fields that identify the request.
var idNames = []string{"request-id", "requestid", "correlation-id", "correlationid", "trace-id", "traceid", "transaction-id"}

func (ig *Ignore) header(name []byte) bool {
	if uncounted[string(name)] || ig.headers[string(name)] {
		return true
	}
	for _, id := range idNames {
		if len(name) >= len(id) && string(name[len(name)-len(id):]) == id {
			return true
		}
	}
	return false
}

// line is a header field, its name in small letters.
type line struct{ name, value []byte }

// head is a header section made ready to be compared. It is used again.
type head struct {
	buf   []byte
	lines []line // those that count, by name, in the order in which they came
}

// read copies the section, for names are written in small letters in place.
func (h *head) read(header []byte, ignore *Ignore) {
	h.buf = append(h.buf[:0], header...)
	h.lines = h.lines[:0]
	var hops []byte
	for rest := h.buf; len(rest) > 0; {
		size := lineSize(rest)
		text := bytes.TrimRight(rest[:size], "\r\n")
		rest = rest[size:]
		name, value, _ := bytes.Cut(text, []byte(":"))
		name = bytes.TrimRight(name, " \t")
		if len(name) == 0 {
			continue
		}
		lower(name)
		if string(name) == "connection" {
			hops = value
		}
		if !ignore.header(name) {
			h.lines = append(h.lines, line{name, bytes.Trim(value, " \t")})
		}
	}
	if len(hops) > 0 {
		lower(hops)
		h.lines = slices.DeleteFunc(h.lines, func(l line) bool { return lists(hops, l.name) })
	}
	slices.SortStableFunc(h.lines, func(a, b line) int { return bytes.Compare(a.name, b.name) })
}

// lineSize is the length of the first field line with those that continue it
// (obs-fold, RFC 9112 section 5.2).
func lineSize(b []byte) int {
	for n := 0; ; {
		end := bytes.IndexByte(b[n:], '\n')
		if end < 0 {
			return len(b)
		}
		n += end + 1
		if n == len(b) || b[n] != ' ' && b[n] != '\t' {
			return n
		}
	}
}

// lists reports whether a list of names has this one.
func lists(list, name []byte) bool {
	for more := true; more; {
		var one []byte
		one, list, more = bytes.Cut(list, []byte(","))
		if bytes.Equal(bytes.Trim(one, " \t"), name) {
			return true
		}
	}
	return false
}

func lower(b []byte) {
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c | 0x20
		}
	}
}

// sameHeaderBytes reports that the sections need no closer look. One that names a
// target's own authority does: the same bytes may then mean another thing.
func sameHeaderBytes(a, b *Response) bool {
	return bytes.Equal(a.Header, b.Header) &&
		(bytes.Equal(a.Authority, b.Authority) || !names(a.Header, a.Authority) && !names(a.Header, b.Authority))
}

func names(header, authority []byte) bool {
	return len(authority) > 0 && bytes.Contains(header, authority)
}

// headers notes the header fields that differ.
func (c *Comparer) headers(a, b *Response) {
	if sameHeaderBytes(a, b) {
		return
	}
	c.heads[0].read(a.Header, c.ignore)
	c.heads[1].read(b.Header, c.ignore)
	for x, y := c.heads[0].lines, c.heads[1].lines; len(x) > 0 || len(y) > 0; {
		name := leastName(x, y)
		nx, ny := named(x, name), named(y, name)
		switch {
		case string(name) == "set-cookie":
			c.cookies(x[:nx], y[:ny])
		case nx == 0:
			c.addBytes(Header, name, Extra)
		case ny == 0:
			c.addBytes(Header, name, Missing)
		case string(name) == "etag":
		case nx != ny || !c.sameValues(x[:nx], y[:ny], a.Authority, b.Authority):
			c.addBytes(Header, name, Value)
		}
		x, y = x[nx:], y[ny:]
	}
}

func leastName(x, y []line) []byte {
	if len(x) == 0 || len(y) > 0 && bytes.Compare(y[0].name, x[0].name) < 0 {
		return y[0].name
	}
	return x[0].name
}

// named is how many lines at the start have this name.
func named(lines []line, name []byte) int {
	n := 0
	for n < len(lines) && bytes.Equal(lines[n].name, name) {
		n++
	}
	return n
}

func (c *Comparer) sameValues(x, y []line, self, otherSelf []byte) bool {
	for i := range x {
		if string(x[i].name) == "location" {
			if !sameLocation(x[i].value, y[i].value, self, otherSelf) {
				return false
			}
		} else if !bytes.Equal(x[i].value, y[i].value) {
			return false
		}
	}
	return true
}

// sameLocation compares two URLs, in which each target's own authority reads
// {self}.
func sameLocation(a, b, selfA, selfB []byte) bool {
	schemeA, restA, isSelfA := cutSelf(a, selfA)
	schemeB, restB, isSelfB := cutSelf(b, selfB)
	if isSelfA != isSelfB {
		return false
	}
	if !isSelfA {
		return bytes.Equal(a, b)
	}
	return bytes.EqualFold(schemeA, schemeB) && bytes.Equal(restA, restB)
}

// cutSelf takes the authority out of a URL if it is the target's own.
func cutSelf(url, self []byte) (scheme, rest []byte, ok bool) {
	scheme, rest, ok = bytes.Cut(url, []byte("//"))
	if !ok || len(self) == 0 || bytes.ContainsAny(scheme, "/?#") {
		return nil, nil, false
	}
	end := bytes.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	return scheme, rest[end:], bytes.EqualFold(rest[:end], self)
}

// cookies compares which cookies are set, whatever their values.
func (c *Comparer) cookies(x, y []line) {
	byName := func(a, b line) int { return bytes.Compare(cookieName(a), cookieName(b)) }
	slices.SortStableFunc(x, byName)
	slices.SortStableFunc(y, byName)
	for len(x) > 0 || len(y) > 0 {
		switch order := compareEnds(len(x), len(y)); {
		case order < 0 || order == 0 && byName(x[0], y[0]) < 0:
			c.addPrefixed(Header, "set-cookie: ", cookieName(x[0]), Missing)
			x = x[1:]
		case order > 0 || byName(x[0], y[0]) > 0:
			c.addPrefixed(Header, "set-cookie: ", cookieName(y[0]), Extra)
			y = y[1:]
		default:
			x, y = x[1:], y[1:]
		}
	}
}

// compareEnds says which of two sorted lists goes on alone: -1 the first, 1 the
// second, 0 none.
func compareEnds(x, y int) int {
	switch {
	case y == 0:
		return -1
	case x == 0:
		return 1
	}
	return 0
}

func cookieName(l line) []byte {
	name, _, _ := bytes.Cut(l.value, []byte("="))
	return bytes.TrimRight(name, " \t")
}
