package codec

import (
	"bytes"
	"errors"
	"slices"
	"testing"
)

// A NOTIFY is decoded up to what HAProxy can send, and not at all beyond.
func TestLimits(t *testing.T) {
	other := append(AppendString(nil, "other"), 0)
	with := func(headers Headers) []byte {
		return appendMirrorMessage(nil, Request{Method: []byte("GET"), Target: []byte("/"), Headers: headers, BodySize: -1})
	}
	fields := func(n int) []byte { return with(Headers{Raw: AppendHeadersEnd(bytes.Repeat([]byte("\x01a\x00"), n))}) }
	lines := func(n int) []byte {
		return with(Headers{Text: true, Raw: append(bytes.Repeat([]byte("a:\r\n"), n), "\r\n"...)})
	}
	// large is a header list of n bytes, 7 of which are not those of its one value.
	large := func(n int) []byte {
		list := AppendHeadersEnd(AppendHeader(nil, []byte("a"), make([]byte, n-7)))
		if len(list) != n {
			t.Fatalf("the list has %d bytes, want %d", len(list), n)
		}
		return with(Headers{Raw: list})
	}
	f := func(name string, requests int, want error, messages ...[]byte) {
		t.Helper()
		first := Request{Method: []byte("first")}
		reqs, others, err := AppendRequests([]Request{first}, bytes.Join(messages, nil))
		if len(reqs) != 1+requests || string(reqs[0].Method) != "first" || !errors.Is(err, want) || err != nil && others != 0 {
			t.Errorf("%s: %d requests, %d others, %v; want %d and %v", name, len(reqs)-1, others, err, requests, want)
		}
	}
	repeat := func(n int, message []byte) [][]byte { return slices.Repeat([][]byte{message}, n) }
	f("as many messages as may be", MaxMessages, nil, repeat(MaxMessages, fields(0))...)
	f("one message more", 0, ErrOversize, repeat(MaxMessages+1, fields(0))...)
	f("other messages", 1, nil, append(repeat(MaxMessages-1, other), fields(0))...)
	f("one other message more", 0, ErrOversize, append(repeat(MaxMessages, other), fields(0))...)
	f("as many fields as may be", 1, nil, fields(MaxFields))
	f("one field more", 0, ErrOversize, fields(MaxFields+1))
	f("in two messages", 2, nil, fields(MaxFields-1), fields(1))
	f("one more in two messages", 0, ErrOversize, fields(MaxFields), fields(1))
	f("as text", 1, nil, lines(MaxFields))
	f("one more as text", 0, ErrOversize, lines(MaxFields+1))
	f("as many bytes as may be", 1, nil, large(MaxHeaderBytes))
	f("one byte more", 0, ErrOversize, large(MaxHeaderBytes+1))
	f("in several messages", 2, nil, large(MaxHeaderBytes/2), large(MaxHeaderBytes/2))
	f("one more in several messages", 0, ErrOversize, large(MaxHeaderBytes/2), large(MaxHeaderBytes/2+1))
	f("fields that end in the middle", 1, nil, with(Headers{Raw: bytes.Repeat([]byte("\x01a\x00"), MaxFields)}))
}
