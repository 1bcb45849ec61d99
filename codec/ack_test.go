package codec

import (
	"bytes"
	"testing"
)

// HAProxy 2.6, 3.0 and 3.2 take this for proc.mirror.rate, if var-prefix is
// mirror.
func TestAppendAckVar(t *testing.T) {
	f := func(v uint64, want string) {
		t.Helper()
		got := AppendAckVar([]byte("x"), 1, 1, "rate", v)
		if string(got) != "x\x00\x00\x00"+want {
			t.Errorf("set to %d by %q, want %q", v, got, want)
		}
		if frame, err := ParseFrame(got[1+LenSize:]); err != nil || frame.Type != FrameAck || !bytes.HasPrefix(frame.Payload, []byte("\x01\x03\x00\x04rate\x04")) {
			t.Errorf("set to %d is read back as %+v, %v", v, frame, err)
		}
	}
	f(100, "\x11\x67\x00\x00\x00\x01\x01\x01\x01\x03\x00\x04rate\x04\x64")
	f(10_000, "\x13\x67\x00\x00\x00\x01\x01\x01\x01\x03\x00\x04rate\x04\xf0\xe2\x03")
}
