package codec

// This file is HAProxy's side of the protocol: what a load generator or a test
// sends to an agent, and what it reads back.

// AppendHAProxyHello appends the HELLO that HAProxy 2.6 and later send:
// h.Pipelining decides the capabilities, an empty engine-id and a healthcheck
// of false are left out.
func AppendHAProxyHello(dst []byte, h Hello) []byte {
	caps := ""
	if h.Pipelining {
		caps = capPipelining
	}
	start := len(dst)
	dst = openFrame(dst, FrameHAProxyHello, 0, 0)
	dst = AppendString(dst, keyVersions)
	dst = AppendValue(dst, Value{Type: TypeString, Bytes: []byte(version)})
	dst = AppendString(dst, keyMaxFrameSize)
	dst = AppendValue(dst, Value{Type: TypeUint32, Int: h.MaxFrameSize})
	dst = AppendString(dst, keyCapabilities)
	dst = AppendValue(dst, Value{Type: TypeString, Bytes: []byte(caps)})
	if len(h.EngineID) > 0 {
		dst = AppendString(dst, keyEngineID)
		dst = AppendValue(dst, Value{Type: TypeString, Bytes: h.EngineID})
	}
	if h.HealthCheck {
		dst = AppendString(dst, keyHealthCheck)
		dst = AppendValue(dst, Value{Type: TypeBool, Bool: true})
	}
	return closeFrame(dst, start)
}

// AppendHAProxyDisconnect appends a HAPROXY-DISCONNECT.
func AppendHAProxyDisconnect(dst []byte, s Status) []byte {
	return appendDisconnect(dst, FrameHAProxyDisconnect, s)
}

// ParseAgentHello decodes an AGENT-HELLO as HAProxy does and returns the
// max-frame-size in bytes and whether the agent takes pipelined frames. The
// error is the Status that HAProxy would disconnect with.
func ParseAgentHello(f Frame) (maxFrameSize uint64, pipelining bool, err error) {
	if f.Type != FrameAgentHello || !f.Fin() || f.StreamID != 0 || f.FrameID != 0 {
		return 0, false, StatusInvalid
	}
	var hasVersion bool
	for b := f.Payload; len(b) > 0; {
		name, v, n, err := ParseArg(b)
		if err != nil {
			return 0, false, StatusInvalid
		}
		b = b[n:]
		switch string(name) {
		case keyVersion:
			if string(v.Bytes) != version {
				return 0, false, StatusUnsupportedVersion
			}
			hasVersion = true
		case keyMaxFrameSize:
			if !v.Type.isInt() {
				return 0, false, StatusInvalid
			}
			maxFrameSize = v.Int
		case keyCapabilities:
			pipelining = hasToken(v.Bytes, capPipelining)
		}
	}
	switch {
	case !hasVersion:
		return 0, false, StatusNoVersion
	case maxFrameSize == 0:
		return 0, false, StatusNoMaxFrameSize
	case maxFrameSize < MinMaxFrameSize:
		return 0, false, StatusBadMaxFrameSize
	}
	return maxFrameSize, pipelining, nil
}

// AppendNotify appends an unfragmented NOTIFY with one message, named as in
// the configuration that HAProxy documents for its mirror agent, that carries
// r. With NoBody the body is left out. BodySize is sent as arg_body_size unless it
// is negative, the response of production and the client's address if they are known.
func AppendNotify(dst []byte, streamID, frameID uint64, r Request) []byte {
	start := len(dst)
	dst = openFrame(dst, FrameNotify, streamID, frameID)
	dst = appendMirrorMessage(dst, r)
	return closeFrame(dst, start)
}

func appendMirrorMessage(dst []byte, r Request) []byte {
	dst = AppendString(dst, "mirror")
	args := len(dst)
	dst = append(dst, 4)
	dst = AppendString(dst, ArgMethod)
	dst = AppendValue(dst, Value{Type: TypeString, Bytes: r.Method})
	dst = AppendString(dst, ArgPath)
	dst = AppendValue(dst, Value{Type: TypeString, Bytes: r.Target})
	dst = AppendString(dst, ArgVersion)
	dst = AppendValue(dst, Value{Type: TypeString, Bytes: r.Version})
	dst = AppendString(dst, ArgHeaders)
	headers := Value{Type: TypeBinary, Bytes: r.Headers.Raw}
	if r.Headers.Text {
		headers.Type = TypeString
	}
	dst = AppendValue(dst, headers)
	optional := func(name string, v Value) {
		dst[args]++
		dst = AppendValue(AppendString(dst, name), v)
	}
	if !r.NoBody {
		optional(ArgBody, Value{Type: TypeBinary, Bytes: r.Body})
	}
	if r.BodySize >= 0 {
		optional(ArgBodySize, Value{Type: TypeInt64, Int: uint64(r.BodySize)})
	}
	if r.Production.Status > 0 {
		optional(ArgStatus, Value{Type: TypeInt64, Int: uint64(r.Production.Status)})
	}
	if r.Production.Timed {
		optional(ArgTime, Value{Type: TypeInt64, Int: uint64(r.Production.Milliseconds)})
	}
	if r.Production.ID != nil {
		optional(ArgID, Value{Type: TypeString, Bytes: r.Production.ID})
	}
	switch {
	case r.Source.Is4():
		optional(ArgSource, Value{Type: TypeIPv4, Bytes: r.Source.AsSlice()})
	case r.Source.Is6():
		optional(ArgSource, Value{Type: TypeIPv6, Bytes: r.Source.AsSlice()})
	}
	return dst
}

// AppendHeader appends one header field in the form of req.hdrs_bin.
func AppendHeader[S string | []byte](dst []byte, name, value S) []byte {
	dst = AppendString(dst, name)
	return AppendString(dst, value)
}

// AppendHeadersEnd appends what ends req.hdrs_bin.
func AppendHeadersEnd(dst []byte) []byte { return append(dst, 0, 0) }
