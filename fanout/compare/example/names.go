package example

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// maskedFields are header fields whose values are secrets.
var maskedFields = []string{"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key"}

// maskedNames are parts of the names of secrets in queries, forms and JSON. Case,
// dashes and underscores do not count.
var maskedNames = []string{"token", "password", "passwd", "secret", "card", "ssn", "apikey"}

// Mask replaces secrets by a keyed hash, so that equal ones stay equal.
type Mask struct {
	key    [32]byte
	fields map[string]bool
	names  []string
}

// NewMask returns a Mask with a key of its own. The names of added are those of
// header fields and of parts of other names; those of removed are not masked.
func NewMask(key [32]byte, added, removed []string) (*Mask, error) {
	m := &Mask{key: key, fields: map[string]bool{}}
	for _, f := range maskedFields {
		m.fields[f] = true
	}
	m.names = append(m.names, maskedNames...)
	for _, name := range added {
		if plain([]byte(name)) == "" {
			return nil, fmt.Errorf("--mask %q: want a name", name)
		}
		m.fields[strings.ToLower(name)] = true
		m.names = append(m.names, plain([]byte(name)))
	}
	for _, name := range removed {
		if !m.remove(name) {
			return nil, fmt.Errorf("--unmask %q: this name is not masked", name)
		}
	}
	return m, nil
}

func (m *Mask) remove(name string) bool {
	field := strings.ToLower(name)
	found := m.fields[field]
	delete(m.fields, field)
	kept := m.names[:0]
	for _, n := range m.names {
		if n == plain([]byte(name)) {
			found = true
			continue
		}
		kept = append(kept, n)
	}
	m.names = kept
	return found
}

// plain is a name in small letters without what joins its words.
func plain(name []byte) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r == '.' || r == ' ' {
			return -1
		}
		return r
	}, strings.ToLower(string(name)))
}

// isSecret reports whether what has this name is a secret.
func (m *Mask) isSecret(name []byte) bool {
	p := plain(name)
	for _, n := range m.names {
		if strings.Contains(p, n) {
			return true
		}
	}
	return false
}

// prefix stands before each hash.
const prefix = "masked:"

// appendHash appends what stands for a secret.
func (m *Mask) appendHash(dst, secret []byte) []byte {
	h := hmac.New(sha256.New, m.key[:])
	h.Write(secret)
	sum := h.Sum(nil)
	return hex.AppendEncode(append(dst, prefix...), sum[:8])
}

// appendText appends text, JWTs in it masked (RFC 7519): three parts in base64url,
// the first of which starts like the base64 of {".
func (m *Mask) appendText(dst, text []byte) []byte {
	for {
		at := bytes.Index(text, []byte("eyJ"))
		if at < 0 {
			return append(dst, text...)
		}
		dst = append(dst, text[:at]...)
		text = text[at:]
		if n := jwtSize(text); n > 0 {
			dst = m.appendHash(dst, text[:n])
			text = text[n:]
		} else {
			dst = append(dst, text[:3]...)
			text = text[3:]
		}
	}
}

// jwtSize is the length of the JWT at the start of the text, or 0.
func jwtSize(text []byte) int {
	const minPart = 4
	n, parts := 0, 0
	for {
		start := n
		for n < len(text) && isBase64URL(text[n]) {
			n++
		}
		if parts++; parts < 3 && n-start < minPart {
			return 0
		}
		if parts == 3 {
			return n
		}
		if n == len(text) || text[n] != '.' {
			return 0
		}
		n++
	}
}

func isBase64URL(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_'
}
