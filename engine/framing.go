package engine

import "github.com/mirrorgate/mirrorgate/codec"

// feed takes all of in, which dies when the requests in w were submitted.
// Whole frames are read where they lie. What is left at the end is copied once,
// and completed by copying no more than that one frame, so that the work stays
// linear however the bytes were cut.
func (s *session) feed(in []byte, w *wake) {
	if s.skip > 0 {
		in = s.swallow(in, w)
	}
	if s.carry != nil {
		in = s.complete(in, w)
	}
	for s.state != stateClosed {
		size, whole := s.measure(in, w)
		if !whole {
			break
		}
		s.frame(in[codec.LenSize:size], w)
		in = in[size:]
	}
	if s.state != stateClosed && len(in) > 0 {
		s.carry = acquireBuffer(&s.policy.memory)
		if !s.carry.add(in) {
			s.giveUp(in, w)
		}
	}
}

// complete adds to the unfinished frame what in has of it, handles it once it
// is whole, and returns the rest of in.
func (s *session) complete(in []byte, w *wake) []byte {
	in, _ = s.fill(codec.LenSize, in)
	size, _ := s.measure(s.carry.b, w)
	if size == 0 {
		return in
	}
	in, ok := s.fill(size, in)
	if !ok {
		s.giveUp(s.carry.b, w)
		return s.swallow(in, w)
	}
	if len(s.carry.b) < size {
		return in
	}
	carry := s.carry
	s.carry = nil
	w.hold(carry)
	s.frame(carry.b[codec.LenSize:], w)
	return in
}

// fill moves bytes from in to the unfinished frame until that has size bytes,
// and returns the rest of in, or all of it if there is no memory.
func (s *session) fill(size int, in []byte) (rest []byte, ok bool) {
	n := min(max(size-len(s.carry.b), 0), len(in))
	if !s.carry.add(in[:n]) {
		return in, false
	}
	return in[n:], true
}

// giveUp forgets the unfinished frame, for which there is no memory, but for its
// head: a NOTIFY is acknowledged whatever becomes of it. b is what came of the
// frame; it is longer than a first buffer, so that the head is there.
func (s *session) giveUp(b []byte, w *wake) {
	f, err := codec.ParseFrame(b[codec.LenSize:])
	if err != nil {
		s.fail(codec.StatusInvalid, errHead, w)
		return
	}
	f.Payload = nil
	s.starved, s.skip = f, codec.LenSize+int(codec.FrameLen(b))-len(b)
	w.hold(s.carry)
	s.carry = nil
}

// swallow lets the rest of a frame go that was given up, handles its head once
// it has ended, and returns the rest of in.
func (s *session) swallow(in []byte, w *wake) []byte {
	n := min(s.skip, len(in))
	s.skip -= n
	if s.skip == 0 && s.state != stateClosed {
		s.handle(&s.starved, 0, w)
	}
	return in[n:]
}

// measure returns the size in bytes of the frame that b starts with, its length
// included, and whether all of it is there. The size is 0 while it is unknown,
// and if it is impossible, which ends the session.
func (s *session) measure(b []byte, w *wake) (size int, whole bool) {
	if len(b) < codec.LenSize {
		return 0, false
	}
	n := uint64(codec.FrameLen(b))
	switch {
	case n < codec.MinFrameSize:
		s.fail(codec.StatusInvalid, fault{what: "frame too short", size: n}, w)
		return 0, false
	case n > s.maxFrame:
		what := "frame longer than HAProxy announced"
		if s.state == stateHello {
			what = "no SPOP: the first frame would be too long (is this HTTP or TLS?)"
		}
		s.fail(codec.StatusTooBig, fault{what: what, size: n}, w)
		return 0, false
	}
	size = codec.LenSize + int(n)
	return size, len(b) >= size
}
