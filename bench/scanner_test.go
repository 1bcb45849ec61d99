package bench

import (
	"strings"
	"testing"
)

func TestScannerFindsEnds(t *testing.T) {
	// Whatever the input is cut into, want has one letter for each request: h for
	// a HEAD, r for any other, and ! if the framing is broken.
	f := func(input, want string) {
		t.Helper()
		for size := 1; size <= len(input); size++ {
			var s scanner
			var got strings.Builder
			for rest := input; len(rest) > 0 && s.err == nil; {
				n := min(size, len(rest))
				for s.feed([]byte(rest[:n])); s.next(); {
					got.WriteByte(map[bool]byte{true: 'h', false: 'r'}[s.head.isHEAD])
				}
				rest = rest[n:]
			}
			if s.err != nil {
				got.WriteByte('!')
			}
			if got.String() != want {
				t.Fatalf("%q in pieces of %d: got %q, want %q", input, size, got.String(), want)
			}
		}
	}
	const (
		get  = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
		get2 = "GET / HTTP/1.1\r\nHost: b\r\n\r\n"
		head = "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
		post = "POST / HTTP/1.1\r\ncontent-length:  4 \r\n\r\n\r\n\r\n"
		none = "POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"
	)
	f(get, "r")
	f(get[:len(get)-1], "")
	f(get+get+get, "rrr")
	f(get+get2+head+get, "rrhr")
	f(post, "r")
	f(post[:len(post)-1], "")
	f(post+post+get+post, "rrrr")
	f(none+get, "rr")
	f(head+head, "hh")
	f("GET / HTTP/1.0\r\n\r\n"+get, "rr")
	f(get+"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n"+get, "r!")
	f("POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "!")
	const chunked = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
	f(chunked, "")
	f(chunked+"0\r\n\r\n", "r")
	f(chunked+"5\r\nhello\r\n1a; x=\"y\"\r\n"+strings.Repeat("\r\n", 13)+"\r\n0\r\n\r\n"+get+head, "rrh")
	f(chunked+"5 \r\nhello\r\n000\r\nDigest: x\r\nExpires: 0\r\n\r\n"+get, "rr")
	f(chunked+"5\r\nhello!\r\n", "!")
	f(chunked+"0x5\r\n", "!")
	f("POST / HTTP/1.1\r\nTransfer-Encoding: gzip, Chunked\r\nContent-Length: 7\r\n\r\n0\r\n\r\n"+get, "rr")
	f("POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"+get, "rr")
	f("POST / HTTP/1.1\r\nContent-Length: 4, 4\r\nContent-Length: 4\r\n\r\nabcd"+get, "rr")
	f("\r\n\r\n"+get+"\r\n"+head, "rh")
	f("GET / HTTP/1.1\nHost: a\n\n"+get, "rr")
}

// What is no request is named.
func TestScannerErrors(t *testing.T) {
	f := func(input, want string) {
		t.Helper()
		var s scanner
		for s.feed([]byte(input)); s.next(); {
		}
		if s.err == nil || !strings.Contains(s.err.Error(), want) {
			t.Errorf("%q: got %v, want %q", input, s.err, want)
		}
	}
	const post = "POST / HTTP/1.1\r\n"
	f("\x16\x03\x01\x02\x00\x01", "TLS")
	f("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/2")
	f("CONNECT a:1 HTTP/1.1\r\n", "CONNECT")
	f("GET /\r\n", `the request line "GET /"`)
	f("hello\r\n", `the request line "hello"`)
	f(post+"no colon\r\n", `the field line "no colon"`)
	f(post+"Host : a\r\n", `the field line "Host : a"`)
	f(post+"Host: a\r\n folded: b\r\n", `the field line " folded: b"`)
	f(post+"Content-Length: +4\r\n", "the Content-Length: \"+4\"")
	f(post+"Content-Length: 4\r\nContent-Length: 5\r\n", "the Content-Length: \"5\"")
	f(post+"Transfer-Encoding: chunked, gzip\r\n\r\n", "whose last coding is not chunked")
	f(post+"Transfer-Encoding: chunked\r\n\r\nhello\r\n", `the chunk size "hello"`)
	f(post+"Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", "a chunk that does not end")
}

func TestScannerReadsWhatTheClientWants(t *testing.T) {
	f := func(input string, closes, waits bool) {
		t.Helper()
		var s scanner
		for s.feed([]byte(input)); s.next(); {
		}
		if s.head.closes != closes || s.waits() != waits || s.waits() {
			t.Errorf("%q: closes %t", input, s.head.closes)
		}
	}
	f("GET / HTTP/1.1\r\n\r\n", false, false)
	f("GET / HTTP/1.1\r\nConnection: TE, Close\r\n\r\n", true, false)
	f("GET / HTTP/1.1\r\nConnection: closed\r\n\r\n", false, false)
	f("GET / HTTP/1.0\r\n\r\n", true, false)
	f("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", false, false)
	f("POST / HTTP/1.1\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n", false, true)
	f("POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx", false, false)
	f("POST / HTTP/1.1\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n", false, true)
}

func TestScannerBoundsTheHead(t *testing.T) {
	var s scanner
	piece := []byte(strings.Repeat("x", 64<<10))
	for range maxHead/len(piece) + 1 {
		for s.feed(piece); s.next(); {
		}
	}
	if s.err == nil {
		t.Error("a head without an end was kept")
	}
}

func BenchmarkScanner(b *testing.B) {
	var s scanner
	input := []byte(strings.Repeat("GET /catalogue HTTP/1.1\r\nHost: shop.example.com\r\nAccept: */*\r\nCookie: a=b\r\n\r\n", 32))
	b.SetBytes(int64(len(input)))
	b.ReportAllocs()
	for b.Loop() {
		for s.feed(input); s.next(); {
		}
	}
}
