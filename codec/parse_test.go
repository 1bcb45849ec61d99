package codec

import (
	"bytes"
	"strings"
	"testing"
)

func TestParseTarget(t *testing.T) {
	f := func(method, target, authority, path string) {
		t.Helper()
		a, p, err := ParseTarget([]byte(method), []byte(target))
		if string(a) != authority || string(p) != path || err != nil {
			t.Errorf("%s %s is %q and %q, %v, want %q and %q", method, target, a, p, err, authority, path)
		}
	}
	f("GET", "/", "", "/")
	f("GET", "//x", "", "//x")
	f("GET", `/a b"%zz?q=/../#f`, "", `/a b"%zz?q=/../`)
	f("OPTIONS", "*", "", "*")
	f("OPTIONS", "http://h", "h", "*")
	f("GET", "http://h", "h", "/")
	f("GET", "http://h/", "h", "/")
	f("GET", "http://h?q", "h", "?q")
	f("GET", "http://h#f", "h", "/")
	f("GET", "https://h:8443/p?q#f", "h:8443", "/p?q")
	f("GET", "http://[::1]:80/", "[::1]:80", "/")
	f("GET", "http://user:pass@h/p@q", "h", "/p@q")
	f("GET", "http://a@b@h/p", "h", "/p")
	f("GET", "a+b-c.d://h/p", "h", "/p")
}

func TestParseTargetRejects(t *testing.T) {
	f := func(method, target string) {
		t.Helper()
		if a, p, err := ParseTarget([]byte(method), []byte(target)); err != ErrTarget {
			t.Errorf("%s %q is %q and %q, %v, want %v", method, target, a, p, err, ErrTarget)
		}
	}
	f("GET", "")
	f("GET", "*")
	f("CONNECT", "h:443")
	f("GET", "relative/path")
	f("GET", "http:///p")
	f("GET", "http://user@/p")
	f("GET", "://h/p")
	f("GET", "1http://h/p")
	f("GET", "ht tp://h/p")
}

func TestHeaders(t *testing.T) {
	f := func(name string, h Headers, want string) {
		t.Helper()
		if got := headerText(t, h); got != want {
			t.Errorf("%s: headers are %q, want %q", name, got, want)
		}
	}
	binary := func(s string) Headers { return Headers{Raw: []byte(s)} }
	text := func(s string) Headers { return Headers{Raw: []byte(s), Text: true} }
	long := strings.Repeat("v", 2288)

	f("zero value", Headers{}, "")
	f("end alone", binary("\x00\x00"), "")
	f("one", binary("\x01a\x01b\x00\x00"), "a: b\n")
	f("empty value", binary("\x01a\x00\x00\x00"), "a: \n")
	f("duplicates keep their order", binary("\x01a\x011\x01b\x00\x01a\x012\x00\x00"), "a: 1\nb: \na: 2\n")
	f("value of 240 bytes", Headers{Raw: AppendHeadersEnd(AppendHeader(nil, "a", long[:240]))}, "a: "+long[:240]+"\n")
	f("value of 2288 bytes", Headers{Raw: AppendHeadersEnd(AppendHeader(nil, "a", long))}, "a: "+long+"\n")
	f("name of 240 bytes", Headers{Raw: AppendHeadersEnd(AppendHeader(nil, long[:240], "x"))}, long[:240]+": x\n")
	f("bytes above 0x7f", binary("\x01a\x02\xff\x80\x00\x00"), "a: \xff\x80\n")

	f("text", text("a: b\r\nc:d\r\n\r\n"), "a: b\nc: d\n")
	f("text without its empty line", text("a: b\r\n"), "a: b\n")
	f("text with an empty value", text("a:\r\n\r\n"), "a: \n")
	f("text with white space", text("a: \t b c \t\r\n\r\n"), "a: b c\n")
}

func TestHeadersRejects(t *testing.T) {
	f := func(name string, h Headers, fields int) {
		t.Helper()
		it := h.Iter()
		got := 0
		for it.Next() {
			got++
		}
		if it.Err() != ErrHeaders || it.Name != nil || it.Value != nil || got != fields {
			t.Errorf("%s: %d fields, then %q: %q, %v, want %d fields and %v", name, got, it.Name, it.Value, it.Err(), fields, ErrHeaders)
		}
	}
	binary := func(s string) Headers { return Headers{Raw: []byte(s)} }
	text := func(s string) Headers { return Headers{Raw: []byte(s), Text: true} }

	f("no end", binary("\x01a\x01b"), 0)
	f("no end behind the second", binary("\x01a\x01b\x01c\x01d"), 1)
	f("half an end", binary("\x01a\x01b\x00"), 1)
	f("bytes behind the end", binary("\x01a\x01b\x00\x00x"), 1)
	f("name beyond the rest", binary("\x05a\x01b\x00\x00"), 0)
	f("name without a value", binary("\x01a"), 0)
	f("value beyond the rest", binary("\x01a\x09b\x00\x00"), 0)
	f("value without a name", binary("\x00\x01x\x00\x00"), 0)
	f("length of 2^64-1", binary("\xff\xf0\xfe\xfe\xfe\xfe\xfe\xfe\xfe\x0e\x00"), 0)

	f("text without CR LF", text("a: b"), 0)
	f("text behind the empty line", text("a: b\r\n\r\nc: d\r\n"), 1)
	f("text without a colon", text("a\r\n\r\n"), 0)
	f("text without a name", text(": b\r\n\r\n"), 0)
}

func TestAppendRequests(t *testing.T) {
	const (
		get  = "\x01m\x02\x0aarg_method\x08\x03GET\x08arg_path\x08\x01/"
		name = "\x0aarg_method\x08\x03GET\x08arg_path\x08\x01/"
	)
	f := func(name, payload string, reqs, others int) {
		t.Helper()
		got, gotOthers, err := AppendRequests(nil, []byte(payload))
		if len(got) != reqs || gotOthers != others || err != nil {
			t.Errorf("%s: %d requests, %d others, %v, want %d and %d", name, len(got), gotOthers, err, reqs, others)
		}
		for _, r := range got {
			if string(r.Method) != "GET" || string(r.Target) != "/" {
				t.Errorf("%s: request is %s %s, want GET /", name, r.Method, r.Target)
			}
		}
	}
	f("empty list", "", 0, 0)
	f("two mirror messages", get+get, 2, 0)
	f("an unknown message in front", "\x05other\x01\x01x\x04\x01"+get, 1, 1)
	f("an unknown message alone", "\x05other\x00", 0, 1)
	f("another order, unnamed and unknown arguments", "\x00\x05\x08arg_path\x08\x01/\x00\x11\x02ip\x06\x7f\x00\x00\x01\x0aarg_method\x08\x03GET\x01n\x00", 1, 0)
	f("a repeated argument: the last counts", "\x01m\x03\x0aarg_method\x08\x03PUT"+name, 1, 0)
	f("NULL for all that may lack", "\x01m\x06"+name+"\x07arg_ver\x00\x08arg_hdrs\x00\x08arg_body\x00\x0darg_body_size\x00", 1, 0)
	f("body as a string", "\x01m\x03"+name+"\x08arg_body\x08\x02hi", 1, 0)
	f("wrong type in a message that is no mirror message", "\x05other\x01\x08arg_body\x11"+get, 1, 1)
}

func TestAppendRequestsRejects(t *testing.T) {
	const name = "\x0aarg_method\x08\x03GET\x08arg_path\x08\x01/"
	f := func(name, payload string, want error) {
		t.Helper()
		if reqs, others, err := AppendRequests(nil, []byte(payload)); len(reqs) > 0 || others > 0 || err != want {
			t.Errorf("%s: %d requests, %d others, %v, want %v", name, len(reqs), others, err, want)
		}
	}
	f("no count", "\x01m", ErrShort)
	f("an argument is missing", "\x01m\x03"+name, ErrShort)
	f("an argument too many", "\x01m\x01"+name, ErrShort)
	f("reserved type", "\x01m\x03"+name+"\x01x\x0a", ErrReservedType)
	f("a whole message in front of a broken one", "\x01m\x02"+name+"\x01m\x01", ErrShort)
	f("a whole message in front of one without a count", "\x01m\x02"+name+"\x01m", ErrShort)
	f("string beyond the end", "\x01m\x01\x0aarg_method\x08\x09GET", ErrShort)
	f("string of 2^63 bytes", "\x01m\x01\x0aarg_method\x08\xf0\xf1\xfe\xfe\xfe\xfe\xfe\xfe\xfe\x06GET", ErrShort)
	f("address of 3 bytes", "\x01m\x01\x01a\x06\x7f\x00\x00", ErrShort)
	f("overflowing integer", "\x01m\x01\x01a\x04\xff\xf0\xfe\xfe\xfe\xfe\xfe\xfe\xfe\x0f", ErrOverflow)
	f("method as an integer", "\x01m\x01\x0aarg_method\x04\x01", errArgType)
	f("version as a bool", "\x01m\x03"+name+"\x07arg_ver\x11", errArgType)
	f("headers as an address", "\x01m\x03"+name+"\x08arg_hdrs\x06\x7f\x00\x00\x01", errArgType)
}

func TestBodySize(t *testing.T) {
	f := func(arg string, want int64) {
		t.Helper()
		payload := "\x01m\x02\x0aarg_method\x08\x03GET\x0darg_body_size" + arg
		reqs, _, err := AppendRequests(nil, []byte(payload))
		if len(reqs) != 1 || err != nil || reqs[0].BodySize != want {
			t.Errorf("body size of %q is %+v, %v, want %d", arg, reqs, err, want)
		}
	}
	f("\x04\x00", 0)
	f("\x04\xff\x7f", 2287)
	f("\x00", -1)
	f("\x08\x015", -1)
}

// A body that is not there is told from an empty one, and a message that has no
// argument for it from one that has NULL.
func TestNoBody(t *testing.T) {
	r := Request{Method: []byte("GET"), Target: []byte("/"), Version: []byte("1.1"), Headers: Headers{Raw: AppendHeadersEnd(nil)}, BodySize: -1, NoBody: true}
	absent := appendMirrorMessage(nil, r)
	r.NoBody = false
	empty := appendMirrorMessage(nil, r)
	f := func(message []byte, wantNoBody, wantNil bool) {
		t.Helper()
		if got := decodeOne(t, message); got.NoBody != wantNoBody || (got.Body == nil) != wantNil {
			t.Errorf("%q: NoBody %v, body %#v", message, got.NoBody, got.Body)
		}
	}
	f(absent, true, true)
	f(empty, false, false)
	f(bytes.Replace(empty, []byte("arg_body\x09\x00"), []byte("arg_body\x00"), 1), false, true)
	f([]byte("\x01m\x01\x0aarg_method\x08\x03GET"), true, true)
	f([]byte("\x01m\x02\x08arg_body\x00\x0aarg_method\x08\x03GET"), false, true)
	f([]byte("\x01m\x02\x08arg_body\x09\x00\x0aarg_method\x08\x03GET"), false, false)
}

func TestAppendNotifyBodySize(t *testing.T) {
	for _, size := range []int64{-1, 0, 1, 1 << 40} {
		r := Request{Method: []byte("GET"), Target: []byte("/"), BodySize: size}
		frame, err := ParseFrame(AppendNotify(nil, 1, 1, r)[LenSize:])
		if err != nil {
			t.Fatal(err)
		}
		if got := decodeOne(t, frame.Payload); !sameRequest(got, r) {
			t.Errorf("body size %d is read back as %d", size, got.BodySize)
		}
	}
}

// The golden rejects overflow by the sum; here a byte alone is shifted out.
func TestUvarintRejectsLostBits(t *testing.T) {
	for _, last := range []byte{0x10, 0x20, 0x7f, 0xff} {
		b := []byte{0xf0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, last, 0}
		if v, n, err := Uvarint(b); err != ErrOverflow {
			t.Errorf("Uvarint(%x) = %d, %d, %v, want %v", b, v, n, err, ErrOverflow)
		}
	}
}
