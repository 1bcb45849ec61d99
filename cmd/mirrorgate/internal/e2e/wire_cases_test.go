package e2e

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/mirrorgate/mirrorgate/cmd/internal/haproxy"
)

// wireCase is a request as a client may send it, and what arrives of it at a
// target: its line, its fields but the marker, one on each line, and its body.
type wireCase struct {
	name                string
	send                func(t *testing.T, addr string) // production must answer it with 200
	line, headers, body string
}

// noHost stands for the field of a request that came without Host.
const noHost = "host: <the target's>"

// wireCases are requests that HAProxy mirrors whole with its default buffer.
func wireCases() []wireCase {
	const host = "host: example.com"
	body10, body14, odd := bodyOf(10_000), bodyOf(14_000), "\x00\r\n\xff"
	cases := []wireCase{
		{"GET", sendsBytes("GET /a%20b/?q=1&q=%zz//x HTTP/1.1\r\nHost: example.com\r\nAccept: */*\r\n\r\n"),
			"GET /a%20b/?q=1&q=%zz//x HTTP/1.1", host + "\naccept: */*", ""},
		{"order and duplicates", sendsBytes("GET / HTTP/1.1\r\nX-B: 1\r\nCookie: a=1\r\nHost: example.com\r\nX-A: 2\r\nX-B: 3, 4\r\nCookie: b=2\r\nX-Empty:\r\n\r\n"),
			"GET / HTTP/1.1", "x-b: 1\ncookie: a=1\n" + host + "\nx-a: 2\nx-b: 3, 4\ncookie: b=2\nx-empty: ", ""},
		{"bytes above 0x7f", sendsBytes("GET / HTTP/1.1\r\nHost: example.com\r\nX-Name: J\xf6rg \xc3\xb6 \xff\r\n\r\n"),
			"GET / HTTP/1.1", host + "\nx-name: J\xf6rg \xc3\xb6 \xff", ""},
		{"double slash", sendsBytes("GET //x HTTP/1.1\r\nHost: example.com\r\n\r\n"), "GET //x HTTP/1.1", host, ""},
		{"POST of 10 kB", sendsBytes("POST /p HTTP/1.1\r\nHost: example.com\r\nContent-Length: 10000\r\nX-Z: z\r\n\r\n" + body10),
			"POST /p HTTP/1.1", host + "\ncontent-length: 10000\nx-z: z", body10},
		{"POST of 14 kB", sendsBytes("POST /p HTTP/1.1\r\nHost: example.com\r\nContent-Length: 14000\r\n\r\n" + body14),
			"POST /p HTTP/1.1", host + "\ncontent-length: 14000", body14},
		{"POST of odd bytes", sendsBytes("POST /p HTTP/1.1\r\nHost: example.com\r\nContent-Length: 4\r\n\r\n" + odd),
			"POST /p HTTP/1.1", host + "\ncontent-length: 4", odd},
		{"chunked POST of 10 kB", sendsBytes("POST /p HTTP/1.1\r\nHost: example.com\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(body10, 3000)),
			"POST /p HTTP/1.1", host + "\ncontent-length: 10000", body10},
		{"chunked PATCH", sendsBytes("PATCH /p HTTP/1.1\r\nHost: example.com\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked("hello", 2)),
			"PATCH /p HTTP/1.1", host + "\ncontent-length: 5", "hello"},
		{"POST without a body", sendsBytes("POST /p HTTP/1.1\r\nHost: example.com\r\nContent-Length: 0\r\n\r\n"),
			"POST /p HTTP/1.1", host + "\ncontent-length: 0", ""},
		{"OPTIONS *", sendsBytes("OPTIONS * HTTP/1.1\r\nHost: example.com\r\n\r\n"), "OPTIONS * HTTP/1.1", host, ""},
		{"absolute-form", sendsBytes("GET http://other.example:80/n?x HTTP/1.1\r\nHost: other.example:80\r\n\r\n"),
			"GET /n?x HTTP/1.1", "host: other.example", ""},
		{"HTTP/1.0", sendsBytes("GET /v10 HTTP/1.0\r\nHost: example.com\r\nX-A: a\r\n\r\n"), "GET /v10 HTTP/1.1", host + "\nx-a: a", ""},
		{"HTTP/1.0 without headers", sendsBytes("GET /v10 HTTP/1.0\r\n\r\n"), "GET /v10 HTTP/1.1", noHost, ""},
		{"HTTP/1.0 POST", sendsBytes("POST /v10 HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello"), "POST /v10 HTTP/1.1", noHost + "\ncontent-length: 5", "hello"},
		{"hop-by-hop headers", sendsBytes("GET / HTTP/1.1\r\nHost: example.com\r\nConnection: x-hop, upgrade\r\nUpgrade: h2c\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nTE: trailers\r\nX-End: 1\r\n\r\n"),
			"GET / HTTP/1.1", host + "\nx-end: 1", ""},
		{"Expect", sendsBytes("POST /p HTTP/1.1\r\nHost: example.com\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello"),
			"POST /p HTTP/1.1", host + "\ncontent-length: 5", "hello"},
	}
	for _, method := range []string{"PUT", "PATCH", "DELETE", "PROPFIND", "FOO"} {
		cases = append(cases, wireCase{method + " with a body", sendsBytes(method + " /p HTTP/1.1\r\nHost: example.com\r\nContent-Length: 5\r\n\r\nhello"),
			method + " /p HTTP/1.1", host + "\ncontent-length: 5", "hello"})
	}
	for _, method := range []string{"HEAD", "PATCH", "PURGE", "PROPFIND", "FOO", "get"} {
		headers := host
		if method == "PATCH" {
			headers += "\ncontent-length: 0"
		}
		cases = append(cases, wireCase{method, sendsBytes(method + " /p HTTP/1.1\r\nHost: example.com\r\n\r\n"), method + " /p HTTP/1.1", headers, ""})
	}
	return append(cases, http2Cases()...)
}

// http2Cases are those over HTTP/2, some as no library would send them.
func http2Cases() []wireCase {
	const host, usual = "host: h2.example.com", "host: h2.example.com\nuser-agent: test\n"
	body10 := bodyOf(10_000)
	star := "*"
	if proxyVersion == (haproxy.Version{Major: 3}) {
		star = "/" // so it comes to the origin, too
	}
	fields := func(fields ...string) func(t *testing.T, addr string) {
		return func(t *testing.T, addr string) {
			t.Helper()
			sendHeaders(t, addr, false, fields...)
		}
	}
	cases := []wireCase{
		{"HTTP/2 GET", sendsHTTP2("GET", "/h2?x", nil), "GET /h2?x HTTP/1.1", usual + "cookie: a=1; b=2", ""},
		{"HTTP/2 POST", sendsHTTP2("POST", "/h2", func() io.Reader { return strings.NewReader(body10) }),
			"POST /h2 HTTP/1.1", usual + "content-length: 10000\ncookie: a=1; b=2", body10},
		{"HTTP/2 POST without a length", sendsHTTP2("POST", "/h2", func() io.Reader { return onlyReader{strings.NewReader("hello")} }),
			"POST /h2 HTTP/1.1", usual + "cookie: a=1; b=2\ncontent-length: 5", "hello"},
		{"HTTP/2, another scheme", fields(":method", "GET", ":scheme", "https", ":authority", "h2.example.com:8443", ":path", "/a//b?c=http://d"),
			"GET /a//b?c=http://d HTTP/1.1", "host: h2.example.com:8443", ""},
		{"HTTP/2 OPTIONS *", fields(":method", "OPTIONS", ":scheme", "http", ":authority", "h2.example.com", ":path", "*"),
			"OPTIONS " + star + " HTTP/1.1", host, ""},
		{"HTTP/2, folded cookies", fields(":method", "GET", ":scheme", "http", ":authority", "h2.example.com", ":path", "/",
			"cookie", "a=1", "x", "y", "cookie", "b=2", "cookie", "c=3"), "GET / HTTP/1.1", host + "\nx: y\ncookie: a=1; b=2; c=3", ""},
		{"HTTP/2, bytes above 0x7f", fields(":method", "GET", ":scheme", "http", ":authority", "h2.example.com", ":path", "/", "x", "J\xf6rg \xff"),
			"GET / HTTP/1.1", host + "\nx: J\xf6rg \xff", ""},
		{"HTTP/2, Host instead of an authority", fields(":method", "GET", ":scheme", "http", ":path", "/p", "host", "h2.example.com"),
			"GET /p HTTP/1.1", host, ""},
		{"HTTP/2, neither Host nor authority", fields(":method", "GET", ":scheme", "http", ":path", "/p", "x", "y"),
			"GET /p HTTP/1.1", noHost + "\nx: y", ""},
		{"HTTP/2, TE", fields(":method", "GET", ":scheme", "http", ":authority", "h2.example.com", ":path", "/", "te", "trailers"),
			"GET / HTTP/1.1", host, ""},
		{"HTTP/2, websocket", func(t *testing.T, addr string) {
			t.Helper()
			sendHeaders(t, addr, true, ":method", "CONNECT", ":protocol", "websocket", ":scheme", "http", ":authority", "h2.example.com",
				":path", "/chat", "sec-websocket-version", "13", "x", "y")
		}, "GET /chat HTTP/1.1", host + "\nsec-websocket-version: 13\nx: y", ""},
	}
	for _, method := range []string{"PATCH", "PURGE", "PROPFIND", "FOO"} {
		cases = append(cases, wireCase{"HTTP/2 " + method, sendsHTTP2(method, "/h2", func() io.Reader { return strings.NewReader("hello") }),
			method + " /h2 HTTP/1.1", usual + "content-length: 5\ncookie: a=1; b=2", "hello"})
	}
	return cases
}

// sendsBytes sends a request byte for byte.
func sendsBytes(request string) func(t *testing.T, addr string) {
	return func(t *testing.T, addr string) {
		t.Helper()
		if status, header := sendRaw(t, addr, request); status != http.StatusOK || header.Get("spoe-error") != "" {
			t.Errorf("production answered %d, error of SPOE %q", status, header.Get("spoe-error"))
		}
	}
}

// sendsHTTP2 sends as sendH2 does. Of a body that is only read its length is unknown.
func sendsHTTP2(method, path string, body func() io.Reader) func(t *testing.T, addr string) {
	return func(t *testing.T, addr string) {
		t.Helper()
		var b io.Reader
		if body != nil {
			b = body()
		}
		sendH2(t, addr, method, path, b, 0)
	}
}

// largeCases are requests that need a buffer for bodies of 64 kB.
func largeCases() []wireCase {
	const host = "host: example.com"
	body := bodyOf(60_000)
	return []wireCase{
		{"POST of 60 kB", sendsBytes("POST /p HTTP/1.1\r\nHost: example.com\r\nX-Long: " + strings.Repeat("x", 7000) + "\r\nContent-Length: 60000\r\n\r\n" + body),
			"POST /p HTTP/1.1", host + "\nx-long: " + strings.Repeat("x", 7000) + "\ncontent-length: 60000", body},
		{"chunked PATCH of 60 kB", sendsBytes("PATCH /p HTTP/1.1\r\nHost: example.com\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(body, 3000)),
			"PATCH /p HTTP/1.1", host + "\ncontent-length: 60000", body},
		{"HTTP/2 PUT of 60 kB", sendsHTTP2("PUT", "/h2", func() io.Reader { return strings.NewReader(body) }),
			"PUT /h2 HTTP/1.1", fmt.Sprintf("host: h2.example.com\nuser-agent: test\ncontent-length: %d\ncookie: a=1; b=2", len(body)), body},
	}
}
