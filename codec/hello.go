package codec

import (
	"bytes"
	"strconv"
)

// The keys of the HELLO frames (SPOE.txt section 3.2.4 and 3.2.5).
const (
	keyVersions     = "supported-versions"
	keyVersion      = "version"
	keyMaxFrameSize = "max-frame-size"
	keyCapabilities = "capabilities"
	keyEngineID     = "engine-id"
	keyHealthCheck  = "healthcheck"

	version      = "2.0"
	majorVersion = 2

	capPipelining    = "pipelining"
	capFragmentation = "fragmentation"
)

// Hello is what HAProxy says of itself in its HELLO. EngineID points into the
// frame.
type Hello struct {
	MaxFrameSize uint64 // bytes, the length in front of a frame not counted
	Pipelining   bool   // several frames may wait for their ACK
	HealthCheck  bool   // HAProxy closes once it has our HELLO
	EngineID     []byte // empty in health checks, never needed
}

// ParseHello decodes a HAPROXY-HELLO. The error is the Status to disconnect with:
// 4, 5, 6, 8, 9 or 10.
func ParseHello(f Frame) (h Hello, err error) {
	var hasVersion, supported, hasSize bool
	for b := f.Payload; len(b) > 0; {
		name, v, n, err := ParseArg(b)
		if err != nil {
			return h, StatusInvalid
		}
		b = b[n:]
		switch string(name) {
		case keyVersions:
			hasVersion = v.Type == TypeString
			supported = hasVersion && supportsVersion(v.Bytes)
		case keyMaxFrameSize:
			if !v.Type.isInt() {
				return h, StatusInvalid
			}
			h.MaxFrameSize, hasSize = v.Int, true
		case keyCapabilities:
			h.Pipelining = v.Type == TypeString && hasToken(v.Bytes, capPipelining)
		case keyEngineID:
			h.EngineID = v.Bytes
		case keyHealthCheck:
			h.HealthCheck = v.Bool
		}
	}
	switch {
	case !hasVersion:
		return h, StatusNoVersion
	case !supported:
		// Before FIN: SPOP 1.0 sends its flags in host order, so that FIN seems unset.
		return h, StatusUnsupportedVersion
	case !f.Fin():
		return h, StatusNoFragmentation
	case f.StreamID != 0 || f.FrameID != 0:
		return h, StatusInvalid
	case !hasSize:
		return h, StatusNoMaxFrameSize
	case h.MaxFrameSize < MinMaxFrameSize:
		return h, StatusBadMaxFrameSize
	}
	return h, nil
}

// supportsVersion looks for a 2.x in a list like "2.0, 1.5".
func supportsVersion(list []byte) bool {
	for len(list) > 0 {
		var item []byte
		item, list, _ = bytes.Cut(list, []byte(","))
		major, minor, ok := bytes.Cut(bytes.TrimSpace(item), []byte("."))
		if !ok {
			continue
		}
		m, err1 := strconv.ParseUint(string(major), 10, 16)
		_, err2 := strconv.ParseUint(string(minor), 10, 16)
		if err1 == nil && err2 == nil && m == majorVersion {
			return true
		}
	}
	return false
}

func hasToken(list []byte, token string) bool {
	for len(list) > 0 {
		var item []byte
		item, list, _ = bytes.Cut(list, []byte(","))
		if string(bytes.TrimSpace(item)) == token {
			return true
		}
	}
	return false
}

// AppendAgentHello appends the AGENT-HELLO: SPOP 2.0, the given max-frame-size
// in bytes, pipelining and fragmentation. It has to reach HAProxy in one
// segment: 3.2 and later refuse one that is split.
func AppendAgentHello(dst []byte, maxFrameSize uint64) []byte {
	start := len(dst)
	dst = openFrame(dst, FrameAgentHello, 0, 0)
	dst = AppendString(dst, keyVersion)
	dst = AppendValue(dst, Value{Type: TypeString, Bytes: []byte(version)})
	dst = AppendString(dst, keyMaxFrameSize)
	dst = AppendValue(dst, Value{Type: TypeUint32, Int: maxFrameSize})
	dst = AppendString(dst, keyCapabilities)
	dst = AppendValue(dst, Value{Type: TypeString, Bytes: []byte(capPipelining + "," + capFragmentation)})
	return closeFrame(dst, start)
}
