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
					got.WriteByte(map[bool]byte{true: 'h', false: 'r'}[s.isHead])
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
	f("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", "!")
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
