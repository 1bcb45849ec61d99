package fanout

import (
	"crypto/tls"
	"errors"
	"fmt"
)

// schemeH2C is HTTP/2 without TLS, with prior knowledge (RFC 9113 section 3.3).
const schemeH2C = "h2c"

// HTTPVersion says which versions of HTTP a target is offered over TLS.
type HTTPVersion uint8

// The versions.
const (
	HTTPAuto HTTPVersion = iota // both; the target chooses (RFC 7301)
	HTTP1
	HTTP2
)

// String returns the name that the options use.
func (v HTTPVersion) String() string { return [...]string{"auto", "1", "2"}[v] }

// ParseHTTP reads a version by its name.
func ParseHTTP(s string) (HTTPVersion, error) {
	for v := HTTPAuto; v <= HTTP2; v++ {
		if v.String() == s {
			return v, nil
		}
	}
	return 0, fmt.Errorf("http is %q, should be auto, 1 or 2", s)
}

const (
	alpnHTTP1 = "http/1.1"
	alpnHTTP2 = "h2" // RFC 9113 section 3.2
)

// offers are the protocols to name in the TLS handshake.
func (v HTTPVersion) offers() []string {
	return [...][]string{{alpnHTTP2, alpnHTTP1}, {alpnHTTP1}, {alpnHTTP2}}[v]
}

// refused says what it means if none of them will do.
func (v HTTPVersion) refused() string {
	return [...]string{
		"the target offers neither HTTP/2 nor HTTP/1.1 (ALPN)",
		"the target does not offer HTTP/1.1, perhaps only HTTP/2 (ALPN); http=auto tries both",
		"the target does not offer HTTP/2, perhaps only HTTP/1.1 (ALPN); http=auto tries both",
	}[v]
}

// agreed finds out which protocol the connection has. A target that knows no ALPN
// speaks HTTP/1.1, which may not be wanted.
func (c *conn) agreed() error {
	over, encrypted := c.stream.(*tls.Conn)
	if !encrypted {
		c.http2 = c.t.cfg.URL.Scheme == schemeH2C
		return nil
	}
	c.http2 = over.ConnectionState().NegotiatedProtocol == alpnHTTP2
	if !c.http2 && c.t.cfg.HTTP == HTTP2 {
		return errors.New(HTTP2.refused())
	}
	return nil
}
