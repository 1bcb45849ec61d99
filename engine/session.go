package engine

import (
	"slices"
	"sync/atomic"

	"github.com/mirrorgate/mirrorgate/codec"
)

type state uint8

const (
	stateHello  state = iota // nothing but a HAPROXY-HELLO may come
	stateReady               // NOTIFYs are acknowledged
	stateClosed              // a DISCONNECT was sent: whatever comes is ignored
)

// maxHelloSize bounds a frame, in bytes, until HAProxy announced its own limit:
// with its length it fits into a first buffer. A HELLO has about 120.
const maxHelloSize = firstBuffer - codec.LenSize

// policy is what all sessions of a server have in common.
type policy struct {
	maxFrameSize uint64 // bytes, the most that is negotiated
	memory       budget
	draining     atomic.Bool // health checks are refused
	checked      atomic.Bool // a health check was seen
}

// session is the agent's side of one SPOP connection, without the connection:
// bytes go in through feed, all that follows from them comes out in a wake. The
// zero value is not usable, see newSession.
type session struct {
	policy *policy
	host   *host
	state  state

	announced uint64 // bytes, the longest frame that may come
	kept      uint64 // bytes, the longest frame that is more than acknowledged
	// Bytes of HAProxy's buffer as far as we know, see truncation.go.
	buffer, fragmentedBuffer int

	partial    *buffer     // of a frame that has begun
	discarded  codec.Frame // the head of the frame that is being discarded
	discarding int         // bytes of it that have yet to come
	stream     reassembly
}

func newSession(p *policy, h *host) session {
	return session{policy: p, host: h, announced: maxHelloSize, kept: maxHelloSize}
}

// unfinished reports whether a frame, or a fragmented NOTIFY, has begun and not
// ended.
func (s *session) unfinished() bool { return s.partial != nil || s.discarding > 0 || s.stream.open }

var errHead = fault{what: "malformed frame header"}

// frame handles one frame without its length.
func (s *session) frame(b []byte, w *wake) {
	f, err := codec.ParseFrame(b)
	if err != nil {
		s.fail(codec.StatusInvalid, errHead, w)
		return
	}
	s.handle(&f, len(b), w)
}

// handle handles a frame of size bytes, or the head of one that was discarded,
// whose size is 0.
func (s *session) handle(f *codec.Frame, size int, w *wake) {
	w.frames[kindOf(f.Type)]++
	if s.state == stateHello {
		s.hello(f, w)
	} else {
		s.dispatch(f, size, w)
	}
	if !s.stream.open {
		w.units++
	}
}

func (s *session) hello(f *codec.Frame, w *wake) {
	switch f.Type {
	case codec.FrameHAProxyHello:
	case codec.FrameHAProxyDisconnect:
		s.end(w)
		return
	default:
		s.fail(codec.StatusInvalid, fault{what: "frame before the HELLO"}, w)
		return
	}
	h, err := codec.ParseHello(*f)
	if err != nil {
		s.fail(err.(codec.Status), fault{what: "HELLO refused"}, w)
		return
	}
	if h.HealthCheck {
		s.policy.checked.Store(true)
		if s.policy.draining.Load() {
			// Not "normal": HAProxy 2.6 would take that for a passed check.
			w.sent = codec.StatusResource
			s.disconnect(w.sent, w)
			return
		}
	}
	s.state = stateReady
	negotiated := min(h.MaxFrameSize, s.policy.maxFrameSize)
	// 3.1.0 does not heed what was negotiated.
	s.announced, s.kept = h.MaxFrameSize, negotiated
	s.guessBuffers(h.MaxFrameSize)
	s.stream.limit = int(max(reassemblyFactor*negotiated, s.policy.maxFrameSize))
	if h.HealthCheck {
		// HAProxy 3.1 and later announces 16380 here whatever its buffer holds, and
		// takes an agent for down that agrees to more than its buffer does.
		negotiated = codec.MinMaxFrameSize
	}
	w.out = codec.AppendAgentHello(w.out, negotiated)
	w.helloLen = len(w.out)
}

func (s *session) dispatch(f *codec.Frame, size int, w *wake) {
	switch f.Type {
	case codec.FrameNotify:
		s.notify(f, size, w)
	case codec.FrameUnset:
		s.fragment(f, size, w)
	case codec.FrameHAProxyDisconnect:
		s.haproxyDisconnect(f, w)
	case codec.FrameHAProxyHello:
		s.fail(codec.StatusInvalid, fault{what: "second HELLO"}, w)
	}
}

func (s *session) notify(f *codec.Frame, size int, w *wake) {
	switch {
	case s.stream.open:
		s.fail(codec.StatusInterlaced, fault{what: "NOTIFY between the fragments of another"}, w)
		return
	case f.Abort():
		w.reject(codec.RejectAborted)
	case !f.Fin():
		s.begin(f, size, w)
		return
	case size == 0:
		w.reject(codec.RejectOversize)
	default:
		w.arrivals = append(w.arrivals, arrival{payload: f.Payload, size: size, buffer: s.buffer})
	}
	if f.Fin() {
		w.ack(f)
	}
}

// haproxyDisconnect replies to a HAPROXY-DISCONNECT. What HAProxy complains of, if
// it does, is worth a line in the log: only there it shows.
func (s *session) haproxyDisconnect(f *codec.Frame, w *wake) {
	d, err := codec.ParseDisconnect(f.Payload[:min(len(f.Payload), maxHelloSize)])
	if !slices.Contains(codec.Statuses, d.Status) {
		d.Status = codec.StatusUnknown
	}
	if err == nil && d.Status != codec.StatusNormal && d.Status != codec.StatusTimeout {
		w.fault = fault{what: "HAProxy ended a connection because of an error", status: d.Status}
	}
	s.disconnect(codec.StatusNormal, w)
}

// fail ends the session because of an error of the other side.
func (s *session) fail(status codec.Status, why fault, w *wake) {
	why.status = status
	w.sent, w.fault = status, why
	s.disconnect(status, w)
}

// disconnect tells HAProxy that the session ends, and ends it.
func (s *session) disconnect(status codec.Status, w *wake) {
	w.out = codec.AppendAgentDisconnect(w.out, status)
	s.end(w)
}

// end closes the session, as when the connection is gone. A NOTIFY that still
// lacked fragments counts as aborted. It may be called more than once.
func (s *session) end(w *wake) {
	s.state = stateClosed
	if s.partial != nil {
		s.detachPartial(w)
	}
	s.discarding = 0
	s.abandon(w)
}
