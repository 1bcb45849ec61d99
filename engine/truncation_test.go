package engine

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mirrorgate/mirrorgate/codec"
)

// A NOTIFY counts as one that may be cut from the size on at which HAProxy's
// buffer may be full; fields make it full earlier.
func TestFull(t *testing.T) {
	payload := func(version string, size, fields int) []byte {
		var headers []byte
		for range fields {
			headers = codec.AppendHeader(headers, "a", "")
		}
		headers = codec.AppendHeadersEnd(headers)
		build := func(body int) []byte {
			return mirror(arg("arg_method", str("POST")), arg("arg_path", str("/")), arg("arg_ver", str(version)), arg("arg_hdrs", bin(string(headers))),
				arg("arg_body", bin(strings.Repeat("x", body))))
		}
		body := max(0, size-len(build(0))-3) // its length takes up to 3 bytes more
		b := build(body)
		for len(b) < size {
			body++
			b = build(body)
		}
		if len(b) != size {
			t.Fatalf("no payload has %d bytes", size)
		}
		return b
	}
	// In one frame: its size, without the length in front, is that of the payload
	// and 7 bytes more.
	whole := func(b []byte) []byte { return notify(1, b) }
	pieces := func(b []byte) []byte {
		frames := frame(codec.FrameNotify, 0, 1, 1)
		for len(b) > 0 {
			n := min(len(b), 200)
			frames = append(frames, frame(codec.FrameUnset, 0, 1, 1, b[:n])...)
			b = b[n:]
		}
		return append(frames, frame(codec.FrameUnset, fin, 1, 1)...)
	}
	f := func(announced uint64, version string, send func([]byte) []byte, size, fields int, want bool) {
		t.Helper()
		p := newPlayer(1 << 20)
		p.feed(join(announcing(announced), send(payload(version, size, fields))))
		if len(p.requests) != 1 || strings.HasSuffix(p.requests[0], " full") != want {
			t.Errorf("announced %d, HTTP/%s, %d bytes with %d fields: %.80q, want full: %v", announced, version, size, fields, fmt.Sprint(p.requests), want)
		}
	}
	const head = 7
	f(16380, "2.0", whole, 13184-head, 0, false)
	f(16380, "2.0", whole, 13185-head, 0, true)
	f(16380, "2.0", whole, 13184-head-20*8, 20, false)
	f(16380, "2.0", whole, 13185-head-20*8, 20, true)
	f(16380, "1.1", whole, 15232-head, 0, false)
	f(16380, "1.1", whole, 15233-head, 0, true)
	f(16380, "1.0", whole, 15232-head-20*8, 20, false)
	f(16380, "1.1", whole, 15233-head-20*8, 20, true)
	f(16380, "3.0", whole, 13185-head, 0, true)
	f(65532, "2.0", whole, 65536-1024-128-8192-head, 0, false)
	f(65532, "2.0", whole, 65536-1024-128-8192-head+1, 0, true)
	f(1048572, "2.0", whole, 1048576-1024-128-131072-head, 0, false)
	f(1048572, "2.0", whole, 1048576-1024-128-131072-head+1, 0, true)
	// The announced size is that of the buffer, and then it is not.
	f(4092, "2.0", whole, 4096-1024-128-512-head+1, 0, true)
	f(4091, "2.0", whole, 4084, 0, false)
	f(256, "2.0", whole, 200, 0, false)
	f(256, "2.0", pieces, 13184, 0, false)
	f(256, "2.0", pieces, 13185, 0, true)
	f(65532, "2.0", pieces, 65536-1024-128-8192+1, 0, true)
}
