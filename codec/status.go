package codec

import "strconv"

// Status is the code of a DISCONNECT frame (SPOE.txt section 3.2.3 and 3.4).
// As an error it says why a connection has to end.
type Status uint32

// The codes that SPOP 2.0 defines.
const (
	StatusNormal             Status = 0
	StatusIO                 Status = 1
	StatusTimeout            Status = 2
	StatusTooBig             Status = 3
	StatusInvalid            Status = 4
	StatusNoVersion          Status = 5
	StatusNoMaxFrameSize     Status = 6
	StatusNoCapabilities     Status = 7
	StatusUnsupportedVersion Status = 8
	StatusBadMaxFrameSize    Status = 9
	StatusNoFragmentation    Status = 10
	StatusInterlaced         Status = 11
	StatusFrameIDNotFound    Status = 12
	StatusResource           Status = 13
	StatusUnknown            Status = 99
)

// Statuses lists the codes above, in order.
var Statuses = []Status{
	StatusNormal, StatusIO, StatusTimeout, StatusTooBig, StatusInvalid, StatusNoVersion,
	StatusNoMaxFrameSize, StatusNoCapabilities, StatusUnsupportedVersion, StatusBadMaxFrameSize,
	StatusNoFragmentation, StatusInterlaced, StatusFrameIDNotFound, StatusResource, StatusUnknown,
}

// String returns the words that HAProxy uses for the code.
func (s Status) String() string {
	switch s {
	case StatusNormal:
		return "normal"
	case StatusIO:
		return "I/O error"
	case StatusTimeout:
		return "a timeout occurred"
	case StatusTooBig:
		return "frame is too big"
	case StatusInvalid:
		return "invalid frame received"
	case StatusNoVersion:
		return "version value not found"
	case StatusNoMaxFrameSize:
		return "max-frame-size value not found"
	case StatusNoCapabilities:
		return "capabilities value not found"
	case StatusUnsupportedVersion:
		return "unsupported version"
	case StatusBadMaxFrameSize:
		return "max-frame-size too big or too small"
	case StatusNoFragmentation:
		return "fragmentation not supported"
	case StatusInterlaced:
		return "invalid interlaced frames"
	case StatusFrameIDNotFound:
		return "frame-id not found"
	case StatusResource:
		return "resource allocation error"
	case StatusUnknown:
		return "an unknown error occurred"
	}
	return "status " + strconv.FormatUint(uint64(s), 10)
}

// Error is String, so that a Status is an error.
func (s Status) Error() string { return s.String() }

// Disconnect is the payload of a DISCONNECT frame. Message points into the
// frame it was parsed from.
type Disconnect struct {
	Status  Status
	Message []byte
}

const (
	keyStatusCode = "status-code"
	keyMessage    = "message"
)

// AppendAgentDisconnect appends an AGENT-DISCONNECT with the given code and
// the words that belong to it.
func AppendAgentDisconnect(dst []byte, s Status) []byte {
	return appendDisconnect(dst, FrameAgentDisconnect, s)
}

func appendDisconnect(dst []byte, t FrameType, s Status) []byte {
	start := len(dst)
	dst = openFrame(dst, t, 0, 0)
	dst = AppendString(dst, keyStatusCode)
	dst = AppendValue(dst, Value{Type: TypeUint32, Int: uint64(s)})
	dst = AppendString(dst, keyMessage)
	dst = AppendValue(dst, Value{Type: TypeString, Bytes: []byte(s.String())})
	return closeFrame(dst, start)
}

// ParseDisconnect decodes the payload of a DISCONNECT frame of either side.
// The error is StatusInvalid if it is not a list of typed pairs, or lacks the
// status code.
func ParseDisconnect(payload []byte) (d Disconnect, err error) {
	found := false
	for len(payload) > 0 {
		name, v, n, err := ParseArg(payload)
		if err != nil {
			return d, StatusInvalid
		}
		payload = payload[n:]
		switch string(name) {
		case keyStatusCode:
			if !v.Type.isInt() {
				return d, StatusInvalid
			}
			d.Status, found = Status(v.Int), true
		case keyMessage:
			if v.Type != TypeString {
				return d, StatusInvalid
			}
			d.Message = v.Bytes
		}
	}
	if !found {
		return d, StatusInvalid
	}
	return d, nil
}
