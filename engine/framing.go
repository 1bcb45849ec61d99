package engine

import "github.com/mirrorgate/mirrorgate/codec"

// headSize is how many bytes of a frame hold its head for certain: length, type,
// flags and two ids of ten bytes.
const headSize = codec.LenSize + 5 + 2*10

// feed takes all of in, which dies when the requests in w were submitted.
// Whole frames are read where they lie. What is left at the end is copied once,
// and completed by copying no more than that one frame, so that the work stays
// linear however the bytes were cut.
func (s *session) feed(in []byte, w *wake) {
	in = s.discardRest(in, w)
	if s.partial != nil {
		in = s.complete(in, w)
	}
	for s.state != stateClosed {
		size, needed := s.measure(in, w)
		switch {
		case needed == 0 || len(in) < needed:
			s.keep(in, size, w)
			return
		case needed < size:
			in = s.discard(in, size, w)
		default:
			s.frame(in[codec.LenSize:size], w)
			in = in[size:]
		}
	}
}

// measure returns the size in bytes of the frame that b starts with, its length
// included, and how much of it is needed to handle it: all, or the head of one
// that is too large to be kept. Both are 0 while that is unknown, and if the size
// is impossible, which ends the session.
func (s *session) measure(b []byte, w *wake) (size, needed int) {
	if len(b) < codec.LenSize {
		return 0, 0
	}
	n := uint64(codec.FrameLen(b))
	switch {
	case n < codec.MinFrameSize:
		s.fail(codec.StatusInvalid, fault{what: "frame too short", size: n}, w)
		return 0, 0
	case n > s.announced:
		what := "frame longer than HAProxy announced"
		if s.state == stateHello {
			what = "no SPOP: the first frame would be too long (is this HTTP or TLS?)"
		}
		s.fail(codec.StatusTooBig, fault{what: what, size: n}, w)
		return 0, 0
	}
	size = codec.LenSize + int(n)
	if n > s.kept {
		return size, min(size, headSize)
	}
	return size, size
}

// keep copies what came of a frame of size bytes, which is 0 while it is unknown.
func (s *session) keep(b []byte, size int, w *wake) {
	if len(b) == 0 || s.state == stateClosed {
		return
	}
	s.partial = acquireBuffer(s.host)
	if !s.partial.add(b, size) {
		s.detachPartial(w)
		s.discard(b, size, w)
	}
}

// complete adds to the frame that has begun what in has of it, handles it once
// enough is there, and returns the rest of in.
func (s *session) complete(in []byte, w *wake) []byte {
	in, _ = s.fill(codec.LenSize, in)
	size, needed := s.measure(s.partial.b, w)
	if needed == 0 {
		return in
	}
	in, ok := s.fill(needed, in)
	switch {
	case ok && len(s.partial.b) < needed:
		return in
	case ok && needed == size:
		s.frame(s.detachPartial(w)[codec.LenSize:], w)
		return in
	}
	s.discard(s.detachPartial(w), size, w)
	return s.discardRest(in, w)
}

// fill moves bytes from in to the frame that has begun until that has size bytes,
// and returns the rest of in, or all of it if there is no memory.
func (s *session) fill(size int, in []byte) (rest []byte, ok bool) {
	n := min(max(size-len(s.partial.b), 0), len(in))
	if !s.partial.add(in[:n], size) {
		return in, false
	}
	return in[n:], true
}

// detachPartial ends the wait for a frame, and returns what was kept of it, which
// lives as long as w.
func (s *session) detachPartial(w *wake) []byte {
	p := s.partial
	s.partial = nil
	w.hold(p)
	return p.b
}

// discard forgets the frame of size bytes that b starts with, which is too large or
// for which there is no memory, but for its head: a NOTIFY is acknowledged once it
// ended, whatever becomes of it. It returns what b has behind the frame.
func (s *session) discard(b []byte, size int, w *wake) []byte {
	f, err := codec.ParseFrame(b[codec.LenSize:min(size, len(b))])
	if err != nil {
		s.fail(codec.StatusInvalid, errHead, w)
		return nil
	}
	f.Payload = nil
	s.discarded, s.discarding = f, size
	return s.discardRest(b, w)
}

// discardRest lets go of what in has of a frame that is being discarded, handles
// its head once it has ended, and returns the rest of in.
func (s *session) discardRest(in []byte, w *wake) []byte {
	if s.discarding == 0 {
		return in
	}
	n := min(s.discarding, len(in))
	if s.discarding -= n; s.discarding == 0 && s.state != stateClosed {
		s.handle(&s.discarded, 0, w)
	}
	return in[n:]
}
