package fanout

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mirrorgate/mirrorgate/codec"
)

// message encodes a message that carries the given arguments.
func message(args ...any) []byte {
	b := codec.AppendString(nil, "mirror")
	b = append(b, byte(len(args)/2))
	for i := 0; i < len(args); i += 2 {
		b = codec.AppendString(b, args[i].(string))
		b = codec.AppendValue(b, args[i+1].(codec.Value))
	}
	return b
}

// decode reads a message as the gateway does: what cannot be decoded is
// submitted as malformed.
func decode(t *testing.T, payload []byte) codec.Request {
	t.Helper()
	reqs, _, err := codec.AppendRequests(nil, payload)
	if err != nil {
		return codec.Request{Reject: codec.RejectMalformed}
	}
	if len(reqs) != 1 {
		t.Fatalf("%d requests in one message", len(reqs))
	}
	return reqs[0]
}

func str(s string) codec.Value { return codec.Value{Type: codec.TypeString, Bytes: []byte(s)} }
func bin(s string) codec.Value { return codec.Value{Type: codec.TypeBinary, Bytes: []byte(s)} }

// TestConformance holds the cases about what becomes of a request, by their
// numbers in the list of SPOP conformance cases.
func TestConformance(t *testing.T) {
	drops := newFanout(t, nil, "http://t")
	sends := newFanout(t, func(c *Config) { c.SendTruncated = true }, "http://t")
	defer drain(t, drops)
	defer drain(t, sends)
	get := func(headers string) string { return "GET / HTTP/1.1\r\n" + headers + marker }
	binary := func(raw string) codec.Request {
		return codec.Request{Method: []byte("GET"), Target: []byte("/"), Headers: codec.Headers{Raw: []byte(raw)}, BodySize: -1}
	}
	run := func(name string, cases func(f func(r codec.Request, want string))) {
		t.Run(name, func(t *testing.T) {
			cases(func(r codec.Request, want string) {
				t.Helper()
				if got := sent(t, drops, r); got != want {
					t.Errorf("%q %q:\n got %q\nwant %q", r.Method, r.Target, got, want)
				}
			})
		})
	}
	type check = func(r codec.Request, want string)

	run("58 arguments that are NULL", func(f check) {
		null := codec.Value{}
		f(decode(t, message("arg_method", null, "arg_path", null, "arg_ver", null, "arg_hdrs", null, "arg_body", null)), "malformed")
		f(decode(t, message("arg_method", str("GET"), "arg_path", null)), "malformed")
		f(decode(t, message("arg_method", null, "arg_path", str("/"))), "malformed")
		f(decode(t, message("arg_method", str("GET"), "arg_path", str("/"), "arg_ver", null, "arg_hdrs", null, "arg_body", null)), get("host: t\r\n"))
	})
	run("59 arguments of another type", func(f check) {
		method, path := str("POST"), str("/")
		f(decode(t, message("arg_method", codec.Value{Type: codec.TypeInt64, Int: 1}, "arg_path", path)), "malformed")
		f(decode(t, message("arg_method", method, "arg_path", path, "arg_ver", codec.Value{Type: codec.TypeBool})), "malformed")
		f(decode(t, message("arg_method", method, "arg_path", path, "arg_body", str("abc"))), "POST / HTTP/1.1\r\nhost: t\r\ncontent-length: 3\r\n"+marker+"abc")
		f(decode(t, message("arg_method", method, "arg_path", path, "arg_hdrs", str("host: h\r\nx: y\r\n\r\n"))), "POST / HTTP/1.1\r\nhost: h\r\nx: y\r\ncontent-length: 0\r\n"+marker)
		f(decode(t, message("arg_method", method, "arg_path", path, "arg_body", bin("abc"), "arg_body_size", str("9"))), "POST / HTTP/1.1\r\nhost: t\r\ncontent-length: 3\r\n"+marker+"abc")
	})
	run("65 no header at all", func(f check) { f(binary("\x00\x00"), get("host: t\r\n")) })
	run("66 header list without an end", func(f check) { f(binary("\x01a\x01b"), "malformed") })
	run("67 bytes behind the end of the header list", func(f check) {
		f(binary("\x01a\x01b\x00\x00x"), "malformed")
		f(binary("\x00\x00\x01a\x01b\x00\x00"), "malformed")
	})
	run("68 lengths beyond the header list", func(f check) {
		f(binary("\x09a\x01b\x00\x00"), "malformed")
		f(binary("\x01a"), "malformed")
		f(binary("\x01a\x09b\x00\x00"), "malformed")
		f(binary("\x01a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "malformed")
	})
	run("69 header without a name", func(f check) { f(binary("\x00\x01x\x00\x00"), "malformed") })
	run("70 header bytes that could smuggle", func(f check) {
		for _, c := range []string{" ", "\r", "\n", ":", "\x00"} {
			f(request("GET", "/", "", "na"+c+"me", "value"), "malformed")
		}
		for _, c := range []string{"\r", "\n", "\x00"} {
			f(request("GET", "/", "", "name", "val"+c+"ue"), "malformed")
		}
	})
	run("71 long header values", func(f check) {
		for _, n := range []int{239, 240, 2287, 2288, 12000} {
			value := strings.Repeat("v", n)
			f(request("GET", "/", "", "host", "h", "x", value), get("host: h\r\nx: "+value+"\r\n"))
			f(request("GET", "/", "", value, "x", "host", "h"), get(value+": x\r\nhost: h\r\n"))
		}
	})
	run("72 cookies, folded text and high bytes go verbatim", func(f check) {
		headers, want := []string{"host", "h"}, "host: h\r\n"
		for i := range 20 {
			headers = append(headers, "cookie", fmt.Sprint("c=", i))
			want += fmt.Sprint("cookie: c=", i, "\r\n")
		}
		headers = append(headers, "folded", "a   b \t c", "high", "\x80\xff")
		f(request("GET", "/", "", headers...), get(want+"folded: a   b \t c\r\nhigh: \x80\xff\r\n"))
	})
	run("73 two Host fields", func(f check) {
		f(request("GET", "/", "", "host", "a", "host", "b"), "malformed")
		f(request("GET", "/", "", "host", "a", "Host", "a"), "malformed")
	})
	run("74 forms of the URL", func(f check) {
		at := func(path, host string) string { return "GET " + path + " HTTP/1.1\r\nhost: " + host + "\r\n" + marker }
		f(request("GET", "/", ""), at("/", "t"))
		f(request("GET", "*", ""), "malformed")
		f(request("OPTIONS", "*", ""), "OPTIONS * HTTP/1.1\r\nhost: t\r\n"+marker)
		f(request("GET", "", ""), "malformed")
		f(request("GET", "http://h", ""), at("/", "h"))
		f(request("OPTIONS", "http://h", ""), "OPTIONS * HTTP/1.1\r\nhost: h\r\n"+marker)
		f(request("GET", "http://h?q", ""), at("/?q", "h"))
		f(request("GET", "https://h:8443/p?q#f", ""), at("/p?q", "h:8443"))
		f(request("GET", "http://user:pass@h/p", ""), at("/p", "h"))
		f(request("GET", "/p?q#f", ""), at("/p?q", "t"))
		f(request("CONNECT", "h:443", ""), "connect")
		f(request("GET", "h:443", ""), "malformed")
		f(request("GET", "//x", ""), at("//x", "t"))
		f(request("GET", "http://[::1]:80/", ""), at("/", "[::1]:80"))
	})
	run("75 methods", func(f check) {
		long := strings.Repeat("M", 1024)
		for _, method := range []string{"get", "PRI", "PROPFIND", "PURGE", "M-SEARCH", long} {
			f(request(method, "/", "", "host", "h"), method+" / HTTP/1.1\r\nhost: h\r\n"+marker)
		}
		f(request("GE T", "/", ""), "malformed")
	})
	run("76 every version goes out as 1.1", func(f check) {
		for _, version := range []string{"1.0", "1.1", "2.0", "3.0", "1.9", ""} {
			r := request("GET", "/", "", "host", "h")
			r.Version = []byte(version)
			f(r, get("host: h\r\n"))
		}
	})
	run("77 truncated body", func(f check) {
		body := strings.Repeat("b", 15208)
		r := request("POST", "/", body, "content-length", "30000", "host", "h")
		f(r, "truncated")
		want := "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 15208\r\nX-Mirrored-Truncated: true\r\n" + marker + body
		if got := sent(t, sends, r); got != want {
			t.Errorf("with --truncated send: %.200q", got)
		}
	})
	run("78 chunked becomes Content-Length", func(f check) {
		f(request("POST", "/", "abc", "host", "h", "transfer-encoding", "chunked"), "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\n"+marker+"abc")
	})
	run("79 Expect, Upgrade and TE are stripped", func(f check) {
		f(request("GET", "/", "", "expect", "100-continue", "upgrade", "websocket", "connection", "upgrade", "te", "trailers", "host", "h"), get("host: h\r\n"))
	})
	run("80 HEAD and GET with a body", func(f check) {
		for _, method := range []string{"HEAD", "GET"} {
			f(request(method, "/", "abc", "host", "h", "content-length", "3"), method+" / HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\n"+marker+"abc")
		}
	})
	// HTTP/3 comes in origin-form up to HAProxy 3.1 and in absolute-form since
	// (h3.c), without a length if the client sent none.
	run("HTTP/3", func(f check) {
		h3 := func(method, url, body string, headers ...string) codec.Request {
			var raw []byte
			for i := 0; i < len(headers); i += 2 {
				raw = codec.AppendHeader(raw, headers[i], headers[i+1])
			}
			return decode(t, message("arg_method", str(method), "arg_path", str(url), "arg_ver", str("3.0"),
				"arg_hdrs", bin(string(codec.AppendHeadersEnd(raw))), "arg_body", bin(body)))
		}
		cookies := "cookie: a=1; b=2\r\n"
		f(h3("GET", "/p?q", "", "host", "h", "cookie", "a=1; b=2"), "GET /p?q HTTP/1.1\r\nhost: h\r\n"+cookies+marker)
		f(h3("GET", "https://h:8443/p?q", "", "host", "h:8443", "cookie", "a=1; b=2"), "GET /p?q HTTP/1.1\r\nhost: h:8443\r\n"+cookies+marker)
		f(h3("GET", "https://h/p", "", "x", "y"), "GET /p HTTP/1.1\r\nhost: h\r\nx: y\r\n"+marker)
		f(h3("GET", "/p", "", "x", "y"), "GET /p HTTP/1.1\r\nhost: t\r\nx: y\r\n"+marker)
		f(h3("OPTIONS", "https://h", "", "host", "h"), "OPTIONS * HTTP/1.1\r\nhost: h\r\n"+marker)
		f(h3("OPTIONS", "*", "", "host", "h"), "OPTIONS * HTTP/1.1\r\nhost: h\r\n"+marker)
		f(h3("POST", "https://h/p", "abc", "host", "h"), "POST /p HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\n"+marker+"abc")
		f(h3("GET", "https://h/chat", "", "host", "h", "connection", "upgrade", "upgrade", "websocket", "sec-websocket-version", "13"),
			"GET /chat HTTP/1.1\r\nhost: h\r\nsec-websocket-version: 13\r\n"+marker)
		f(h3("CONNECT", "h:443", "", "host", "h"), "connect")
	})
}
