package example

import (
	"bytes"
	"net/url"
)

// AppendTarget appends a request's target, in origin-form, with the secrets of its
// query masked, and JWTs anywhere.
func (m *Mask) AppendTarget(dst, target []byte) []byte {
	path, query, ok := bytes.Cut(target, []byte("?"))
	dst = m.appendText(dst, path)
	if ok {
		dst = m.appendForm(append(dst, '?'), query)
	}
	return dst
}

// appendForm masks the pairs of a query or form whose names are those of secrets.
// It works on the decoded names, so that %74oken is one.
func (m *Mask) appendForm(dst, form []byte) []byte {
	for i, more := 0, true; more; i++ {
		var pair []byte
		pair, form, more = bytes.Cut(form, []byte("&"))
		if i > 0 {
			dst = append(dst, '&')
		}
		key, value, ok := bytes.Cut(pair, []byte("="))
		if name, err := url.QueryUnescape(string(key)); ok && (m.isSecret(key) || err == nil && m.isSecret([]byte(name))) {
			dst = m.appendHash(append(append(dst, key...), '='), value)
			continue
		}
		dst = m.appendText(dst, pair)
	}
	return dst
}
