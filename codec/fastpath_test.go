package codec

import (
	"net/netip"
	"reflect"
	"testing"
)

// FuzzFastPath checks that the fast path for documented messages reads what the
// general way reads.
func FuzzFastPath(f *testing.F) {
	message := appendMirrorMessage(nil, Request{
		Method: []byte("POST"), Target: []byte("/a?b"), Version: []byte("1.1"),
		Headers: Headers{Raw: AppendHeadersEnd(AppendHeader(nil, "host", "h"))}, Body: make([]byte, 300), BodySize: 300,
	})
	_, _, n, err := ParseMessage(message)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(message[n:], 6)
	f.Add(message[n:], 5)
	f.Add(append(message[n:len(message):len(message)], message...), 6)
	response := appendMirrorMessage(nil, Request{
		BodySize: 0, Production: ProductionResponse{Status: 200, Timed: true, ID: []byte("id")}, Source: netip.IPv6Loopback(),
	})
	_, args, n, err := ParseMessage(response)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(response[n:], args)
	f.Add(append(response[n:len(response):len(response)], "\x07arg_ver\x04\x01"...), args+1)
	bodyless := appendMirrorMessage(nil, Request{BodySize: 300, NoBody: true})
	_, args, n, err = ParseMessage(bodyless)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(bodyless[n:], args)
	f.Add(append(bodyless[n:len(bodyless):len(bodyless)], "\x08arg_body\x09\x01x"...), args+1)
	for _, v := range vectorsOf(f, "rx") {
		if frame := v.frame(f); frame.Type == FrameNotify && frame.Fin() {
			_, args, n, _ := ParseMessage(frame.Payload)
			f.Add(frame.Payload[n:], args)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, args int) {
		args &= 0xff
		fast, general := emptyRequest, emptyRequest
		n, ok := decodeFast(&fast, b, args)
		if !ok {
			return
		}
		mirror, m, err := decodeArgs(&general, b, args)
		if err != nil || !mirror || n != m || !reflect.DeepEqual(fast, general) {
			t.Errorf("%q: %+v (%d bytes), but in general %+v (%d bytes), %v", b, fast, n, general, m, err)
		}
	})
}
