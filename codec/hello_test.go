package codec

import "testing"

// pairs is the payload of a HELLO or DISCONNECT, from names and values.
func pairs(kv ...any) []byte {
	var b []byte
	for i := 0; i < len(kv); i += 2 {
		b = AppendString(b, kv[i].(string))
		switch v := kv[i+1].(type) {
		case string:
			b = AppendValue(b, Value{Type: TypeString, Bytes: []byte(v)})
		case int:
			b = AppendValue(b, Value{Type: TypeUint32, Int: uint64(v)})
		case bool:
			b = AppendValue(b, Value{Type: TypeBool, Bool: v})
		case Value:
			b = AppendValue(b, v)
		}
	}
	return b
}

func TestParseHello(t *testing.T) {
	f := func(name string, kv []any, want error) {
		t.Helper()
		_, err := ParseHello(Frame{Type: FrameHAProxyHello, Flags: FlagFin, Payload: pairs(kv...)})
		if err != want {
			t.Errorf("%s: error is %v, want %v", name, err, want)
		}
	}
	with := func(kv ...any) []any { return kv }
	versions := func(v any) []any { return with("supported-versions", v, "max-frame-size", 16380) }
	size := func(v any) []any { return with("supported-versions", "2.0", "max-frame-size", v) }

	f("two versions", versions("2.0, 1.5"), nil)
	f("spaces", versions(" 2.0"), nil)
	f("the second version", versions("1.5,2.0 "), nil)
	f("a later minor version", versions("2.7"), nil)
	f("1.0", versions("1.0"), StatusUnsupportedVersion)
	f("3.0", versions("3.0"), StatusUnsupportedVersion)
	f("no minor version", versions("2"), StatusUnsupportedVersion)
	f("empty version", versions(""), StatusUnsupportedVersion)
	f("no number", versions("x"), StatusUnsupportedVersion)
	f("version as an integer", versions(2), StatusNoVersion)
	f("no version", with("max-frame-size", 16380), StatusNoVersion)
	f("no size", with("supported-versions", "2.0"), StatusNoMaxFrameSize)
	f("no capabilities", size(16380), nil)
	f("least size", size(256), nil)
	f("size too small", size(255), StatusBadMaxFrameSize)
	f("size of 2^64-1", size(Value{Type: TypeUint64, Int: 1<<64 - 1}), nil)
	f("size as INT32", size(Value{Type: TypeInt32, Int: 16380}), nil)
	f("size as INT64", size(Value{Type: TypeInt64, Int: 16380}), nil)
	f("size as a string", size("16380"), StatusInvalid)
	f("unknown items", append(size(16380), "a", "b", "c", 1, "d", true, "e", Value{}), nil)
	f("item of a reserved type", append(size(16380), "a", Value{Type: 10}), StatusInvalid)
	f("repeated key: the last counts", append(size(255), "max-frame-size", 256), nil)
}

func TestParseHelloHead(t *testing.T) {
	good := pairs("supported-versions", "2.0", "max-frame-size", 16380)
	f := func(frame Frame, want error) {
		t.Helper()
		frame.Payload = good
		if _, err := ParseHello(frame); err != want {
			t.Errorf("flags %d, ids %d and %d: error is %v, want %v", frame.Flags, frame.StreamID, frame.FrameID, err, want)
		}
	}
	f(Frame{Flags: FlagFin}, nil)
	f(Frame{Flags: 0xfffffffd}, nil)
	f(Frame{Flags: 0}, StatusNoFragmentation)
	f(Frame{Flags: FlagFin, StreamID: 1}, StatusInvalid)
	f(Frame{Flags: FlagFin, FrameID: 1}, StatusInvalid)
}

func TestParseHelloCapabilities(t *testing.T) {
	f := func(caps any, want bool) {
		t.Helper()
		p := pairs("supported-versions", "2.0", "max-frame-size", 16380, "capabilities", caps)
		h, err := ParseHello(Frame{Flags: FlagFin, Payload: p})
		if h.Pipelining != want || err != nil {
			t.Errorf("capabilities %q: pipelining is %v, %v, want %v", caps, h.Pipelining, err, want)
		}
	}
	f("", false)
	f("async", false)
	f("pipelining", true)
	f(" pipelining , async,foo", true)
	f("pipeliningx", false)
	f(Value{}, false)
}

func TestParseAgentHelloRejects(t *testing.T) {
	f := func(name string, want error, kv ...any) {
		t.Helper()
		_, _, err := ParseAgentHello(Frame{Type: FrameAgentHello, Flags: FlagFin, Payload: pairs(kv...)})
		if err != want {
			t.Errorf("%s: error is %v, want %v", name, err, want)
		}
	}
	f("good", nil, "version", "2.0", "max-frame-size", 256)
	f("later version", StatusUnsupportedVersion, "version", "2.1", "max-frame-size", 256)
	f("no version", StatusNoVersion, "max-frame-size", 256)
	f("no size", StatusNoMaxFrameSize, "version", "2.0")
	f("size too small", StatusBadMaxFrameSize, "version", "2.0", "max-frame-size", 255)
	f("size as a string", StatusInvalid, "version", "2.0", "max-frame-size", "256")
	f("reserved type", StatusInvalid, "version", "2.0", "x", Value{Type: 15})
}

func TestDisconnect(t *testing.T) {
	for _, s := range append([]Status{14, 250}, Statuses...) {
		frame, err := ParseFrame(AppendAgentDisconnect(nil, s)[LenSize:])
		if err != nil {
			t.Fatal(err)
		}
		d, err := ParseDisconnect(frame.Payload)
		if frame.Type != FrameAgentDisconnect || d.Status != s || string(d.Message) != s.Error() || err != nil {
			t.Errorf("status %d is read back as %v %d %q, %v", s, frame.Type, d.Status, d.Message, err)
		}
	}
}

func TestParseDisconnectRejects(t *testing.T) {
	f := func(name string, payload []byte) {
		t.Helper()
		if d, err := ParseDisconnect(payload); err != StatusInvalid {
			t.Errorf("%s: %v %q, %v, want %v", name, d.Status, d.Message, err, StatusInvalid)
		}
	}
	f("empty", nil)
	f("no code", pairs("message", "bye"))
	f("code as a string", pairs("status-code", "0"))
	f("message as an integer", pairs("status-code", 0, "message", 1))
	f("cut", pairs("status-code", 0, "message", "bye")[:20])
}
