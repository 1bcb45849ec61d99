package example

import "bytes"

// AppendHeader appends a header section of field lines, each ended by CRLF, with
// the values of secrets masked: of cookies all, names and attributes stay.
func (m *Mask) AppendHeader(dst, header []byte) []byte {
	secret := false
	for len(header) > 0 {
		var line []byte
		line, header, _ = bytes.Cut(header, []byte("\n"))
		line = bytes.TrimRight(line, "\r")
		if len(line) == 0 {
			continue
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		switch {
		case line[0] == ' ' || line[0] == '\t': // continues the line before
			name, value = line[:1], line[1:]
		case !ok:
			name, value, secret = line[:0], line, false
		default:
			lower := string(bytes.ToLower(bytes.TrimSpace(name)))
			secret = m.fields[lower] || m.isSecret(name)
			value = bytes.TrimSpace(value)
			dst = append(append(dst, name...), ": "...)
			switch {
			case secret && (lower == "cookie" || lower == "set-cookie"):
				dst = m.appendCookies(dst, value, lower == "set-cookie")
				dst = append(dst, "\r\n"...)
				continue
			case secret && (lower == "authorization" || lower == "proxy-authorization"):
				if scheme, credentials, ok := bytes.Cut(value, []byte(" ")); ok {
					dst = append(append(dst, scheme...), ' ')
					value = credentials
				}
			}
			name = nil
		}
		dst = append(dst, name...)
		if secret {
			dst = m.appendHash(dst, value)
		} else {
			dst = m.appendURLs(dst, value)
		}
		dst = append(dst, "\r\n"...)
	}
	return dst
}

// appendCookies masks the values of cookies (RFC 6265 section 4). Of Set-Cookie
// what follows the first one are attributes.
func (m *Mask) appendCookies(dst, value []byte, set bool) []byte {
	for i, more := 0, true; more; i++ {
		var pair []byte
		pair, value, more = bytes.Cut(value, []byte(";"))
		if i > 0 {
			dst = append(dst, ';')
		}
		name, secret, ok := bytes.Cut(pair, []byte("="))
		switch {
		case i > 0 && set:
			dst = m.appendText(dst, pair)
		case !ok:
			dst = m.appendHash(dst, bytes.TrimSpace(pair))
		default:
			dst = m.appendHash(append(append(dst, name...), '='), bytes.TrimSpace(secret))
		}
	}
	return dst
}

// appendURLs masks a value that may be a URL with a query, as in Location and
// Referer.
func (m *Mask) appendURLs(dst, value []byte) []byte {
	at := bytes.IndexByte(value, '?')
	if at < 0 || bytes.IndexByte(value[at:], '=') < 0 {
		return m.appendText(dst, value)
	}
	dst = append(m.appendText(dst, value[:at]), '?')
	return m.appendForm(dst, value[at+1:])
}
