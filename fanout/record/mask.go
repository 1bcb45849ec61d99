package record

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Mask replaces the values of what has certain names by a keyed hash: of header fields,
// cookies, parameters of queries and forms, and fields of JSON. Equal values stay equal,
// and each keeps its length and its type, so that Content-Length and the form of a
// request stay right. It never changes.
type Mask struct {
	key   []byte
	names map[string]bool // in lower case
}

// structural are the header fields without which a request is another one.
var structural = []string{"host", "content-length", "content-type", "content-encoding", "transfer-encoding", "connection"}

// NewMask returns a Mask of those names, in any case.
func NewMask(key [32]byte, names []string) (*Mask, error) {
	m := &Mask{key: key[:], names: map[string]bool{}}
	for _, name := range names {
		name = strings.ToLower(name)
		if name == "" || slices.Contains(structural, name) {
			return nil, fmt.Errorf("mask has %q, should be names like session+authorization, without %s", name, strings.Join(structural, ", "))
		}
		m.names[name] = true
	}
	return m, nil
}

// hides reports whether the value of that name is hidden.
func (m *Mask) hides(name []byte) bool {
	var lower [64]byte
	if len(name) > len(lower) {
		return m.names[strings.ToLower(string(name))]
	}
	for i, c := range name {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		lower[i] = c
	}
	return m.names[string(lower[:len(name)])]
}

// Key returns what stands for a record's key: a hash of the original may be that of a
// value that is hidden. It is of the same length, and appended to dst.
func (m *Mask) Key(dst, key []byte) []byte {
	start := len(dst)
	dst = append(dst, key...)
	m.hide(dst[start:], key)
	return dst
}

// Apply masks a request in wire format, in place.
func (m *Mask) Apply(wire []byte) {
	head, body, ok := bytes.Cut(wire, []byte("\r\n\r\n"))
	if !ok {
		return
	}
	line, fields, _ := bytes.Cut(head, []byte("\r\n"))
	if query := bytes.IndexByte(line, '?'); query >= 0 {
		end := max(query, bytes.LastIndexByte(line, ' '))
		m.applyForm(line[query+1 : max(query+1, end)])
	}
	var mediaType []byte
	for len(fields) > 0 {
		var field []byte
		field, fields, _ = bytes.Cut(fields, []byte("\r\n"))
		name, value, ok := bytes.Cut(field, []byte(":"))
		if !ok {
			continue
		}
		value = bytes.TrimSpace(value)
		if bytes.EqualFold(name, []byte("content-type")) {
			mediaType = value
		}
		m.applyField(name, value)
	}
	switch {
	case len(body) == 0:
	case bytes.HasPrefix(bytes.ToLower(mediaType), []byte("application/x-www-form-urlencoded")):
		m.applyForm(body)
	case body[0] == '{' || body[0] == '[' || bytes.Contains(mediaType, []byte("json")):
		m.applyJSON(body)
	}
}

func (m *Mask) applyField(name, value []byte) {
	switch {
	case bytes.EqualFold(name, []byte("cookie")):
		all := m.hides(name)
		for more := true; more; {
			var pair []byte
			pair, value, more = bytes.Cut(value, []byte(";"))
			name, secret, ok := bytes.Cut(bytes.TrimSpace(pair), []byte("="))
			if ok && (all || m.hides(name)) {
				m.hide(secret, secret)
			}
		}
	case m.hides(name) && bytes.EqualFold(name, []byte("authorization")):
		if _, credentials, ok := bytes.Cut(value, []byte(" ")); ok { // behind the scheme
			value = credentials
		}
		m.hide(value, value)
	case m.hides(name):
		m.hide(value, value)
	case bytes.EqualFold(name, []byte("referer")):
		if query := bytes.IndexByte(value, '?'); query >= 0 {
			m.applyForm(value[query+1:])
		}
	}
}

// applyForm masks the pairs of a query or form, by their decoded names.
func (m *Mask) applyForm(form []byte) {
	for more := true; more; {
		var pair []byte
		pair, form, more = bytes.Cut(form, []byte("&"))
		name, value, ok := bytes.Cut(pair, []byte("="))
		if !ok {
			continue
		}
		hidden := m.hides(name)
		if !hidden && bytes.ContainsAny(name, "%+") {
			if plain, err := url.QueryUnescape(string(name)); err == nil {
				hidden = m.hides([]byte(plain))
			}
		}
		if hidden {
			m.hide(value, value)
		}
	}
}

// applyJSON masks all values below hidden names. What is no JSON stays as it is.
func (m *Mask) applyJSON(body []byte) {
	if !json.Valid(body) {
		return
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	type level struct{ object, key, hidden bool } // key: the next token is one
	levels := []level{{}}
	at := 0
	for {
		token, err := d.Token()
		if err != nil {
			return
		}
		end := int(d.InputOffset())
		start := at + len(body[at:end]) - len(bytes.TrimLeft(body[at:end], " \t\r\n,:"))
		at = end
		top := &levels[len(levels)-1]
		if top.key && token != json.Delim('}') {
			name, _ := token.(string)
			top.key = false
			top.hidden = len(levels) > 2 && levels[len(levels)-2].hidden || m.hides([]byte(name))
			continue
		}
		hidden := top.hidden
		switch token {
		case json.Delim('{'), json.Delim('['):
			object := token == json.Delim('{')
			levels = append(levels, level{object, object, hidden})
			continue
		case json.Delim('}'), json.Delim(']'):
			levels = levels[:len(levels)-1]
			top = &levels[len(levels)-1]
		default:
			if hidden {
				m.hideJSON(body[start:end])
			}
		}
		top.key = top.object
	}
}

// hideJSON hides a string or a number, which stays one: the digits of a number change up
// to its exponent. There are too few of anything else to hide it.
func (m *Mask) hideJSON(value []byte) {
	switch c := value[0]; {
	case c == '"':
		m.hide(value[1:len(value)-1], value[1:len(value)-1])
	case c == '-' || '0' <= c && c <= '9':
		sum := m.sum(value, 0)
		for i, c := range value {
			if c == 'e' || c == 'E' {
				break
			}
			if '0' < c && c <= '9' { // not 0, which may not stand in front
				value[i] = '1' + sum[i%len(sum)]%9
			}
		}
	}
}

// hide writes what stands for the value to dst, which is as long and may be the same.
func (m *Mask) hide(dst, value []byte) {
	var digits [2 * sha256.Size]byte
	original := value
	if len(value) > len(digits) {
		original = bytes.Clone(value)
	}
	for block := 0; len(dst) > 0; block++ {
		sum := m.sum(original, byte(block))
		hex.Encode(digits[:], sum[:])
		n := copy(dst, digits[:])
		dst = dst[n:]
	}
}

func (m *Mask) sum(value []byte, block byte) (sum [sha256.Size]byte) {
	h := hmac.New(sha256.New, m.key)
	h.Write(value)
	h.Write([]byte{block})
	h.Sum(sum[:0])
	return sum
}
