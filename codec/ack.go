package codec

// ackAction is one harmless action, unset-var(txn._): HAProxy 3.1.0 stalls the
// request for its whole processing timeout on an ACK without any.
const ackAction = "\x02\x02\x02\x01_"

// setVar is how the action set-var(proc…) starts.
const setVar = "\x01\x03\x00"

// AppendAck appends the ACK for a frame and returns the extended slice.
// HAProxy needs nothing of the NOTIFY but its two ids (SPOE.txt section 3.2.7).
func AppendAck(dst []byte, streamID, frameID uint64) []byte {
	start := len(dst)
	dst = openFrame(dst, FrameAck, streamID, frameID)
	dst = append(dst, ackAction...)
	return closeFrame(dst, start)
}

// AppendAckVar is AppendAck for an agent that has something to say: HAProxy sets
// the variable proc.PREFIX.name to v, where PREFIX is the agent's var-prefix,
// provided that its configuration names that variable (SPOE.txt section 3.2.7).
func AppendAckVar(dst []byte, streamID, frameID uint64, name string, v uint64) []byte {
	start := len(dst)
	dst = openFrame(dst, FrameAck, streamID, frameID)
	dst = append(dst, setVar...)
	dst = AppendString(dst, name)
	dst = append(dst, byte(TypeInt64))
	dst = AppendUvarint(dst, v)
	return closeFrame(dst, start)
}

// AppendAckAbort appends the ACK that gives up a fragmented NOTIFY whose last
// fragment has not come yet.
func AppendAckAbort(dst []byte, streamID, frameID uint64) []byte {
	return AppendFrame(dst, Frame{
		Type: FrameAck, Flags: FlagFin | FlagAbort, StreamID: streamID, FrameID: frameID,
	})
}
