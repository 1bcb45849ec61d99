package codec

import (
	"bytes"
	"math/big"
	"reflect"
	"testing"
	"unsafe"
)

// Beside the seeds below, those in testdata/fuzz are one malformed input each,
// named after what is wrong with it.

// checkBorrowed checks that what a parser returned lies within its input.
func checkBorrowed(t *testing.T, in []byte, outs ...[]byte) {
	t.Helper()
	start := uintptr(unsafe.Pointer(unsafe.SliceData(in)))
	for _, out := range outs {
		if len(out) == 0 {
			continue
		}
		at := uintptr(unsafe.Pointer(unsafe.SliceData(out)))
		if at < start || at+uintptr(len(out)) > start+uintptr(len(in)) {
			t.Fatalf("%q lies outside of the input %q", out, in)
		}
	}
}

// checkCount checks the number of bytes that a parser said it read.
func checkCount(t *testing.T, in []byte, n int, err error) {
	t.Helper()
	if err == nil && (n < 1 || n > len(in)) || err != nil && n != 0 {
		t.Fatalf("parser read %d of %d bytes, error %v", n, len(in), err)
	}
}

// addFrames seeds a target with the frames of the vectors that have the type.
func addFrames(f *testing.F, add func(Frame), types ...FrameType) {
	for _, kind := range []string{"rx", "tx"} {
		for _, v := range vectorsOf(f, kind) {
			frame := v.frame(f)
			for _, t := range types {
				if frame.Type == t {
					add(frame)
				}
			}
		}
	}
}

func FuzzUvarint(f *testing.F) {
	for _, kind := range []string{"varint", "varint-reject"} {
		for _, v := range vectorsOf(f, kind) {
			for _, b := range v.bytes {
				f.Add(b)
			}
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, n, err := Uvarint(b)
		checkCount(t, b, n, err)
		want, wantErr := bigUvarint(b)
		if err != wantErr || err == nil && v != want {
			t.Fatalf("Uvarint(%x) = %d, %v, want %d, %v", b, v, err, want, wantErr)
		}
		if err == nil && !bytes.Equal(AppendUvarint(nil, v), b[:n]) {
			t.Fatalf("%d is encoded as %x, was %x", v, AppendUvarint(nil, v), b[:n])
		}
	})
}

// bigUvarint is the definition of the encoding in integers without bounds.
func bigUvarint(b []byte) (uint64, error) {
	v := new(big.Int)
	for i, c := range b {
		shift := 0
		if i > 0 {
			shift = 4 + 7*(i-1)
		}
		v.Add(v, new(big.Int).Lsh(big.NewInt(int64(c)), uint(shift)))
		last := i == 0 && c < 240 || i > 0 && c < 128
		switch {
		case !v.IsUint64() || i >= maxVarint:
			return 0, ErrOverflow
		case last:
			return v.Uint64(), nil
		}
	}
	return 0, ErrShort
}

func FuzzValue(f *testing.F) {
	f.Add([]byte{0x00})
	f.Add([]byte{0x11})
	f.Add([]byte{0x03, 0xfc, 0xf0, 0x06})
	f.Add([]byte{0x06, 127, 0, 0, 1})
	f.Add(append([]byte{0x07}, make([]byte, ipv6Size)...))
	f.Add([]byte("\x08\x03GET"))
	f.Add([]byte("\x09\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		v, n, err := ParseValue(b)
		checkCount(t, b, n, err)
		checkBorrowed(t, b, v.Bytes)
		if err != nil {
			return
		}
		again, m, err := ParseValue(AppendValue(nil, v))
		if err != nil || m != n || !sameValue(v, again) {
			t.Fatalf("%+v is read back as %+v, %d bytes instead of %d, error %v", v, again, m, n, err)
		}
	})
}

func sameValue(a, b Value) bool {
	return a.Type == b.Type && a.Bool == b.Bool && a.Int == b.Int && bytes.Equal(a.Bytes, b.Bytes)
}

func FuzzFrame(f *testing.F) {
	for _, kind := range []string{"rx", "tx"} {
		for _, v := range vectorsOf(f, kind) {
			f.Add(v.bytes[0][LenSize:])
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		frame, err := ParseFrame(b)
		checkBorrowed(t, b, frame.Payload)
		if err != nil {
			if err != StatusInvalid {
				t.Fatalf("error is %v, want %v", err, StatusInvalid)
			}
			return
		}
		again := AppendFrame(nil, frame)
		if !bytes.Equal(again[LenSize:], b) || int(FrameLen(again)) != len(b) {
			t.Fatalf("%x is encoded as %x", b, again)
		}
	})
}

func FuzzHello(f *testing.F) {
	add := func(frame Frame) { f.Add(uint32(frame.Flags), frame.Payload) }
	addFrames(f, add, FrameHAProxyHello, FrameAgentHello)
	f.Fuzz(func(t *testing.T, flags uint32, payload []byte) {
		h, err := ParseHello(Frame{Type: FrameHAProxyHello, Flags: Flags(flags), Payload: payload})
		checkBorrowed(t, payload, h.EngineID)
		if err == nil {
			if h.MaxFrameSize < MinMaxFrameSize {
				t.Fatalf("max-frame-size %d was accepted", h.MaxFrameSize)
			}
			frame, err := ParseFrame(AppendHAProxyHello(nil, h)[LenSize:])
			if err != nil {
				t.Fatal(err)
			}
			again, err := ParseHello(frame)
			if err != nil || again.MaxFrameSize != h.MaxFrameSize || again.Pipelining != h.Pipelining ||
				again.HealthCheck != h.HealthCheck || !bytes.Equal(again.EngineID, h.EngineID) {
				t.Fatalf("%+v is read back as %+v, %v", h, again, err)
			}
		} else if _, ok := err.(Status); !ok {
			t.Fatalf("error %v is no status", err)
		}
		size, _, err := ParseAgentHello(Frame{Type: FrameAgentHello, Flags: Flags(flags), Payload: payload})
		if _, ok := err.(Status); err != nil && !ok {
			t.Fatalf("error %v is no status", err)
		}
		if err == nil && size < MinMaxFrameSize {
			t.Fatalf("max-frame-size %d of an agent was accepted", size)
		}
	})
}

func FuzzDisconnect(f *testing.F) {
	add := func(frame Frame) { f.Add(frame.Payload) }
	addFrames(f, add, FrameHAProxyDisconnect, FrameAgentDisconnect)
	f.Fuzz(func(t *testing.T, payload []byte) {
		d, err := ParseDisconnect(payload)
		checkBorrowed(t, payload, d.Message)
		if err != nil {
			if err != StatusInvalid {
				t.Fatalf("error is %v, want %v", err, StatusInvalid)
			}
			return
		}
		frame, err := ParseFrame(AppendHAProxyDisconnect(nil, d.Status)[LenSize:])
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseDisconnect(frame.Payload)
		if err != nil || again.Status != d.Status || string(again.Message) != d.Status.String() {
			t.Fatalf("%v is read back as %v %q, %v", d.Status, again.Status, again.Message, err)
		}
	})
}

func FuzzRequests(f *testing.F) {
	add := func(frame Frame) { f.Add(frame.Payload) }
	addFrames(f, add, FrameNotify)
	f.Fuzz(func(t *testing.T, payload []byte) {
		before := []Request{{Method: []byte("BEFORE")}}
		reqs, others, err := AppendRequests(before, payload)
		if len(reqs) < 1 || !reflect.DeepEqual(reqs[0], before[0]) {
			t.Fatalf("what was in dst is now %+v", reqs)
		}
		if err != nil {
			if len(reqs) != 1 || others != 0 {
				t.Fatalf("%d requests and %d others along with the error %v", len(reqs)-1, others, err)
			}
			return
		}
		for _, r := range reqs[1:] {
			checkBorrowed(t, payload, r.Method, r.Target, r.Version, r.Headers.Raw, r.Body, r.Production.ID)
			again, _, err := AppendRequests(nil, appendMirrorMessage(nil, r))
			if err != nil || len(again) != 1 || !sameRequest(r, again[0]) {
				t.Fatalf("%+v is read back as %+v, %v", r, again, err)
			}
		}
	})
}

func sameRequest(a, b Request) bool {
	return bytes.Equal(a.Method, b.Method) && bytes.Equal(a.Target, b.Target) && bytes.Equal(a.Version, b.Version) &&
		bytes.Equal(a.Headers.Raw, b.Headers.Raw) && a.Headers.Text == b.Headers.Text && bytes.Equal(a.Body, b.Body) &&
		max(a.BodySize, -1) == max(b.BodySize, -1) && a.NoBody == b.NoBody && a.Full == b.Full && a.Reject == b.Reject &&
		a.Source == b.Source && a.Production.Status == b.Production.Status && a.Production.Timed == b.Production.Timed &&
		a.Production.Milliseconds == b.Production.Milliseconds && bytes.Equal(a.Production.ID, b.Production.ID)
}

func FuzzHeaders(f *testing.F) {
	addFrames(f, func(frame Frame) {
		if reqs, _, err := AppendRequests(nil, frame.Payload); err == nil {
			f.Add(reqs[0].Headers.Raw, false)
		}
	}, FrameNotify)
	f.Add([]byte("host: example.com\r\nx-empty:\r\n\r\n"), true)
	f.Fuzz(func(t *testing.T, raw []byte, text bool) {
		it := Headers{Raw: raw, Text: text}.Iter()
		var again []byte
		fields := 0
		for it.Next() {
			fields++
			checkBorrowed(t, raw, it.Name, it.Value)
			if len(it.Name) == 0 || fields > len(raw) {
				t.Fatalf("field %d has the name %q", fields, it.Name)
			}
			again = AppendHeader(again, it.Name, it.Value)
		}
		if it.Next() {
			t.Fatal("there is a field behind the last one")
		}
		if it.Err() == nil && !text && len(raw) > 0 && !bytes.Equal(AppendHeadersEnd(again), raw) {
			t.Fatalf("%q is encoded as %q", raw, AppendHeadersEnd(again))
		}
		if it.Err() != nil && it.Err() != ErrHeaders {
			t.Fatalf("error is %v, want %v", it.Err(), ErrHeaders)
		}
	})
}

func FuzzTarget(f *testing.F) {
	addFrames(f, func(frame Frame) {
		if reqs, _, err := AppendRequests(nil, frame.Payload); err == nil {
			f.Add(reqs[0].Method, reqs[0].Target)
		}
	}, FrameNotify)
	f.Add([]byte("GET"), []byte("https://user:secret@h:8443/p?q#f"))
	f.Add([]byte("GET"), []byte("http://[::1]:80/"))
	f.Fuzz(func(t *testing.T, method, target []byte) {
		authority, path, err := ParseTarget(method, target)
		checkBorrowed(t, target, authority)
		if err != nil {
			if err != ErrTarget || authority != nil || path != nil {
				t.Fatalf("%q and %q along with the error %v", authority, path, err)
			}
			return
		}
		if string(path) != "/" && string(path) != "*" {
			checkBorrowed(t, target, path)
		}
		if bytes.IndexByte(path, '#') >= 0 || bytes.ContainsAny(authority, "@/?#") {
			t.Fatalf("%q is split into %q and %q", target, authority, path)
		}
		if bytes.HasPrefix(path, slash) {
			if a, again, err := ParseTarget(method, path); len(a) > 0 || !bytes.Equal(again, path) || err != nil {
				t.Fatalf("the path %q is read as %q and %q, %v", path, a, again, err)
			}
		}
	})
}
