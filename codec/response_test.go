package codec

import (
	"math"
	"net/netip"
	"reflect"
	"testing"
)

// What HAProxy 2.6, 3.0 and 3.2 send with the arguments that the README has for
// mirroring after the response.
func TestMessageAfterTheResponse(t *testing.T) {
	r := Request{
		Method: []byte("POST"), Target: []byte("/a?b"), Version: []byte("1.1"),
		Headers: Headers{Raw: AppendHeadersEnd(AppendHeader(nil, "host", "h"))}, Body: []byte("\x00\r\n\xff"), BodySize: 4,
		Production: ProductionResponse{Status: 404, Timed: true, Milliseconds: 51, ID: []byte("7F000001:A930_6B05CEF8_0000")},
		Source:     netip.MustParseAddr("2001:db8::1"),
	}
	f := func(r Request) {
		t.Helper()
		message := appendMirrorMessage(nil, r)
		got := decodeOne(t, message)
		if !reflect.DeepEqual(got, r) {
			t.Errorf("read back as %+v, want %+v", got, r)
		}
		_, args, n, err := ParseMessage(message)
		if fast := emptyRequest; err != nil {
			t.Error(err)
		} else if _, ok := decodeFast(&fast, message[n:], args); !ok || !reflect.DeepEqual(fast, r) {
			t.Errorf("the fast path reads %+v (%v), want %+v", fast, ok, r)
		}
	}
	f(r)
	r.Source = netip.MustParseAddr("192.0.2.1")
	f(r)
	r.BodySize, r.Production.Timed, r.Production.Milliseconds, r.Production.ID = -1, false, 0, nil
	f(r)
	r.Body, r.NoBody = nil, true
	f(r)
}

func TestOptionalArguments(t *testing.T) {
	decode := func(name string, v Value) Request {
		t.Helper()
		b := AppendString(append(AppendString(nil, "m"), 2), ArgPath)
		b = AppendString(AppendValue(b, Value{Type: TypeString, Bytes: []byte("/")}), name)
		reqs, _, err := AppendRequests(nil, AppendValue(b, v))
		if err != nil || len(reqs) != 1 {
			t.Fatalf("%s %+v: %d requests, %v", name, v, len(reqs), err)
		}
		return reqs[0]
	}
	integer := func(n int64) Value { return Value{Type: TypeInt64, Int: uint64(n)} }
	text := func(s string) Value { return Value{Type: TypeString, Bytes: []byte(s)} }
	null := Value{}

	status := func(v Value, want uint16) {
		t.Helper()
		if got := decode(ArgStatus, v).Production.Status; got != want {
			t.Errorf("status of %+v is %d, want %d", v, got, want)
		}
	}
	status(integer(200), 200)
	status(Value{Type: TypeUint32, Int: 599}, 599)
	status(integer(99), 0)
	status(integer(1000), 0)
	status(integer(65536+200), 0)
	status(integer(-1), 0)
	status(text("200"), 0)
	status(null, 0)

	took := func(v Value, timed bool, want uint32) {
		t.Helper()
		if got := decode(ArgTime, v).Production; got.Timed != timed || timed && got.Milliseconds != want {
			t.Errorf("time of %+v is %+v, want %d (%v)", v, got, want, timed)
		}
	}
	took(integer(0), true, 0)
	took(integer(math.MaxUint32), true, math.MaxUint32)
	took(integer(math.MaxUint32+1), false, 0)
	took(integer(-5), false, 0) // the clock was stepped back
	took(text("5"), false, 0)
	took(null, false, 0)

	source := func(v Value, want string) {
		t.Helper()
		addr := decode(ArgSource, v).Source
		if got := addr.String(); got != want || addr.IsValid() != (want != "invalid IP") {
			t.Errorf("source of %+v is %s, want %s", v, got, want)
		}
	}
	source(Value{Type: TypeIPv4, Bytes: []byte{192, 0, 2, 1}}, "192.0.2.1")
	source(Value{Type: TypeIPv6, Bytes: []byte("\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01")}, "2001:db8::1")
	source(Value{Type: TypeIPv6, Bytes: []byte("\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xc0\x00\x02\x01")}, "192.0.2.1")
	source(text("2001:db8::1"), "2001:db8::1")
	source(text("fe80::1%eth0\r\nx: y"), "fe80::1")
	source(text("somebody"), "invalid IP")
	source(integer(1), "invalid IP")
	source(null, "invalid IP")

	if got := string(decode(ArgID, text("id")).Production.ID); got != "id" {
		t.Errorf("id is %q", got)
	}
}
