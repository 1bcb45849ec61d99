package codec

// ackAction is one harmless action, unset-var(txn._): HAProxy 3.1.0 stalls the
// request for its whole processing timeout on an ACK without any.
const ackAction = "\x02\x02\x02\x01_"

// AppendAck appends the ACK for a frame and returns the extended slice.
// HAProxy needs nothing of the NOTIFY but its two ids (SPOE.txt section 3.2.7).
func AppendAck(dst []byte, streamID, frameID uint64) []byte {
	start := len(dst)
	dst = openFrame(dst, FrameAck, streamID, frameID)
	dst = append(dst, ackAction...)
	return closeFrame(dst, start)
}

// AppendAckAbort appends the ACK that gives up a fragmented NOTIFY whose last
// fragment has not come yet.
func AppendAckAbort(dst []byte, streamID, frameID uint64) []byte {
	return AppendFrame(dst, Frame{
		Type: FrameAck, Flags: FlagFin | FlagAbort, StreamID: streamID, FrameID: frameID,
	})
}
