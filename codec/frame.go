package codec

import (
	"encoding/binary"
	"strconv"
)

// FrameType is the first byte of a frame (SPOE.txt section 3.2).
type FrameType uint8

// The frame types of SPOP 2.0.
const (
	FrameUnset             FrameType = 0 // continues a fragmented NOTIFY
	FrameHAProxyHello      FrameType = 1
	FrameHAProxyDisconnect FrameType = 2
	FrameNotify            FrameType = 3
	FrameAgentHello        FrameType = 101
	FrameAgentDisconnect   FrameType = 102
	FrameAck               FrameType = 103
)

// String returns the name of the type as SPOE.txt writes it, in lower case.
func (t FrameType) String() string {
	switch t {
	case FrameUnset:
		return "unset"
	case FrameHAProxyHello:
		return "haproxy-hello"
	case FrameHAProxyDisconnect:
		return "haproxy-disconnect"
	case FrameNotify:
		return "notify"
	case FrameAgentHello:
		return "agent-hello"
	case FrameAgentDisconnect:
		return "agent-disconnect"
	case FrameAck:
		return "ack"
	}
	return "unknown-" + strconv.Itoa(int(t))
}

// Flags are the four bytes behind the type of a frame. Bits other than these
// are reserved: ignored when read, never sent.
type Flags uint32

// The flags of SPOP 2.0.
const (
	FlagFin   Flags = 1 << 0 // the last fragment, or the only one
	FlagAbort Flags = 1 << 1 // give the fragmented frame up
)

const (
	// LenSize is the size in bytes of the length in front of each frame.
	LenSize = 4
	// MinFrameSize is the size in bytes of the smallest frame, its length not
	// counted: type, flags and two one-byte ids.
	MinFrameSize = 7
	// MinMaxFrameSize is the smallest max-frame-size in bytes that may be
	// negotiated.
	MinMaxFrameSize = 256
)

// Frame is one SPOP frame. StreamID and FrameID are opaque: HAProxy starts
// them at 0 or at 1 and leaves gaps, so they are only ever echoed.
type Frame struct {
	Type     FrameType
	Flags    Flags
	StreamID uint64
	FrameID  uint64
	Payload  []byte
}

// Fin reports whether the frame is whole, or the last of its fragments.
func (f *Frame) Fin() bool { return f.Flags&FlagFin != 0 }

// Abort reports whether the sender gave the frame up.
func (f *Frame) Abort() bool { return f.Flags&FlagAbort != 0 }

// FrameLen returns the length in bytes of the frame behind the prefix that b
// starts with. b must hold at least LenSize bytes.
func FrameLen(b []byte) uint32 { return binary.BigEndian.Uint32(b) }

// ParseFrame decodes b, which is one whole frame without its length. The
// payload points into b. Whatever is wrong with the frame, the error is
// StatusInvalid.
func ParseFrame(b []byte) (f Frame, err error) {
	if len(b) < MinFrameSize {
		return f, StatusInvalid
	}
	f.Type = FrameType(b[0])
	f.Flags = Flags(binary.BigEndian.Uint32(b[1:]))
	b = b[5:]
	var n int
	if f.StreamID, n, err = Uvarint(b); err != nil {
		return f, StatusInvalid
	}
	b = b[n:]
	if f.FrameID, n, err = Uvarint(b); err != nil {
		return f, StatusInvalid
	}
	f.Payload = b[n:]
	return f, nil
}

// AppendFrame appends f to dst, its length in front, and returns the extended
// slice.
func AppendFrame(dst []byte, f Frame) []byte {
	start := len(dst)
	dst = append(dst, 0, 0, 0, 0, byte(f.Type))
	dst = binary.BigEndian.AppendUint32(dst, uint32(f.Flags))
	dst = AppendUvarint(dst, f.StreamID)
	dst = AppendUvarint(dst, f.FrameID)
	dst = append(dst, f.Payload...)
	return closeFrame(dst, start)
}

// openFrame appends the head of an unfragmented frame; closeFrame then fills
// in the length of what was appended since start.
func openFrame(dst []byte, t FrameType, streamID, frameID uint64) []byte {
	dst = append(dst, 0, 0, 0, 0, byte(t), 0, 0, 0, byte(FlagFin))
	dst = AppendUvarint(dst, streamID)
	return AppendUvarint(dst, frameID)
}

func closeFrame(dst []byte, start int) []byte {
	binary.BigEndian.PutUint32(dst[start:], uint32(len(dst)-start-LenSize))
	return dst
}
