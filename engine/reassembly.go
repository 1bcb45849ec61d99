package engine

import "github.com/mirrorgate/mirrorgate/codec"

// reassemblyFactor bounds the payload of a fragmented NOTIFY, in frames of the
// negotiated size. HAProxy encodes it from one buffer, which is under two, unless
// its spoe-agent has a max-frame-size below that of the buffer: then the largest
// frame that we would agree on is the bound.
const reassemblyFactor = 4

// reassembly is the one NOTIFY of a connection that comes in fragments: HAProxy
// never interleaves two (flt_spoe.c stays in SENDING_FRAG_NOTIFY until it ends).
type reassembly struct {
	open     bool
	streamID uint64
	frameID  uint64
	limit    int // bytes of payload
	payload  *buffer
}

// begin starts the reassembly of a NOTIFY without FIN.
func (s *session) begin(f *codec.Frame, size int, w *wake) {
	s.stream = reassembly{
		open: true, streamID: f.StreamID, frameID: f.FrameID,
		limit: s.stream.limit, payload: acquireBuffer(s.host),
	}
	s.collect(f, size, w)
}

// fragment handles an UNSET. One that continues nothing is the rest of a NOTIFY
// that was given up, and is ignored.
func (s *session) fragment(f *codec.Frame, size int, w *wake) {
	r := &s.stream
	switch {
	case !r.open:
	case r.streamID != f.StreamID || r.frameID != f.FrameID:
		s.fail(codec.StatusInterlaced, fault{what: "fragment of another NOTIFY"}, w)
	case f.Abort():
		s.abandon(w)
	default:
		s.collect(f, size, w)
	}
}

// collect adds a fragment, and handles the NOTIFY once it is whole.
func (s *session) collect(f *codec.Frame, size int, w *wake) {
	r := &s.stream
	if size == 0 || len(f.Payload) > r.limit-len(r.payload.b) || !r.payload.add(f.Payload, 0) {
		w.reject(codec.RejectOversize)
		w.out = codec.AppendAckAbort(w.out, f.StreamID, f.FrameID)
		w.acks++
		r.close()
		return
	}
	if f.Fin() {
		payload := w.holdPayload(r.payload)
		w.arrivals = append(w.arrivals, arrival{payload: payload, size: len(payload), buffer: s.fragmentedBuffer})
		w.ack(f)
		r.payload = nil
		r.close()
	}
}

// abandon ends a reassembly that will never be whole.
func (s *session) abandon(w *wake) {
	if s.stream.open {
		w.reject(codec.RejectAborted)
	}
	s.stream.close()
}

// close ends the reassembly.
func (r *reassembly) close() {
	if r.payload != nil {
		releaseBuffer(r.payload)
	}
	*r = reassembly{limit: r.limit}
}
