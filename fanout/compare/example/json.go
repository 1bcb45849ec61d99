package example

import (
	"bytes"
	"encoding/json"
	"io"
)

// appendJSON appends a document without white space, its secrets masked: all values
// below a key that is the name of one. It reports false if this is no JSON.
func (m *Mask) appendJSON(dst, body []byte) ([]byte, bool) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	start := len(dst)
	dst, err := m.appendValue(dst, d, false)
	if err != nil {
		return dst[:start], false
	}
	if _, err = d.Token(); err != io.EOF {
		return dst[:start], false
	}
	return dst, true
}

func (m *Mask) appendValue(dst []byte, d *json.Decoder, secret bool) ([]byte, error) {
	token, err := d.Token()
	if err != nil {
		return dst, err
	}
	switch token := token.(type) {
	case json.Delim:
		return m.appendMembers(append(dst, byte(token)), d, token == '{', secret)
	case string:
		text := []byte(token)
		if secret {
			return appendQuoted(dst, m.appendHash(nil, text)), nil
		}
		return appendQuoted(dst, m.appendText(nil, text)), nil
	case json.Number:
		if secret {
			return appendQuoted(dst, m.appendHash(nil, []byte(token))), nil
		}
		return append(dst, token...), nil
	case bool:
		if token {
			return append(dst, "true"...), nil
		}
		return append(dst, "false"...), nil
	}
	return append(dst, "null"...), nil
}

// appendMembers appends what an object or array has, and its end.
func (m *Mask) appendMembers(dst []byte, d *json.Decoder, object, secret bool) ([]byte, error) {
	for i := 0; d.More(); i++ {
		if i > 0 {
			dst = append(dst, ',')
		}
		below := secret
		if object {
			token, err := d.Token()
			if err != nil {
				return dst, err
			}
			key, _ := token.(string)
			below = secret || m.isSecret([]byte(key))
			dst = append(appendQuoted(dst, m.appendText(nil, []byte(key))), ':')
		}
		var err error
		if dst, err = m.appendValue(dst, d, below); err != nil {
			return dst, err
		}
	}
	end, err := d.Token()
	if err != nil {
		return dst, err
	}
	delim, _ := end.(json.Delim)
	return append(dst, byte(delim)), nil
}

func appendQuoted(dst, text []byte) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(string(text)); err != nil {
		panic("BUG: " + err.Error())
	}
	return append(dst, bytes.TrimRight(b.Bytes(), "\n")...)
}
