package http2

// Request is what a stream sends. All of it is borrowed; Body until the stream is
// over, the rest only for the call.
type Request struct {
	Method    []byte
	HTTPS     bool
	Authority []byte // empty: none
	Prefix    []byte // goes in front of Path
	Path      []byte
	Lines     [2][]byte // of fields, as AppendLines takes them
	Trailers  bool      // "te: trailers" (RFC 9113 section 8.2.2)
	Body      []byte

	Whole bool // the response's body is read to its end, however long
	Data  bool // and is told of
}

// AppendRequest opens a stream, of which there must be Room, and appends its
// header block and as much of the body as flow control and the capacity of dst
// allow. The rest is left to AppendData. It returns the extended slice and the
// stream's slot, which is free again behind the Event that ends the stream.
func (c *Conn) AppendRequest(dst []byte, r *Request) ([]byte, int) {
	slot := c.take(r)
	s := &c.streams[slot]
	at := len(dst)
	dst = appendHeader(dst, 0, frameHeaders, flagEndHeaders, s.id)
	dst = r.appendPseudo(dst)
	for _, lines := range r.Lines {
		dst = AppendLines(dst, lines)
	}
	if r.Trailers {
		dst = append(dst, teTrailers...)
	}
	if len(r.Body) == 0 {
		dst[at+4] |= flagEndStream
	}
	dst = c.endBlock(dst, at)
	if len(r.Body) > 0 {
		c.sending++
		dst = c.appendBody(dst, s)
	}
	return dst, slot
}

// teTrailers is "te: trailers" as AppendField writes it.
const teTrailers = "\x00\x02te\x08trailers"

// take makes a stream. Ids may be skipped (RFC 9113 section 5.1.1): the next one
// whose slot is free is taken, so that an id says where its stream is.
func (c *Conn) take(r *Request) int {
	id := c.nextID
	for c.streams[c.slotOf(id)].id != 0 {
		id += 2
	}
	c.nextID = id + 2
	c.open++
	slot := c.slotOf(id)
	c.streams[slot] = stream{id: id, window: c.initialWindow, left: StreamWindow, body: r.Body, whole: r.Whole, data: r.Data}
	return slot
}

// endBlock writes the length of the HEADERS frame at dst[at:], and cuts what is
// too long for one frame into CONTINUATION.
func (c *Conn) endBlock(dst []byte, at int) []byte {
	length := len(dst) - at - frameHeader
	if length <= c.maxFrame {
		dst[at], dst[at+1], dst[at+2] = byte(length>>16), byte(length>>8), byte(length)
		return dst
	}
	h := readHeader(dst[at:])
	block := append([]byte(nil), dst[at+frameHeader:]...)
	dst = appendHeader(dst[:at], c.maxFrame, frameHeaders, h.flags&^flagEndHeaders, h.stream)
	dst = append(dst, block[:c.maxFrame]...)
	for block = block[c.maxFrame:]; len(block) > 0; {
		n, flags := min(len(block), c.maxFrame), byte(0)
		if n == len(block) {
			flags = flagEndHeaders
		}
		dst = appendHeader(dst, n, frameContinuation, flags, h.stream)
		dst = append(dst, block[:n]...)
		block = block[n:]
	}
	return dst
}

// appendBody appends DATA, as far as the windows and the capacity of dst allow.
func (c *Conn) appendBody(dst []byte, s *stream) []byte {
	for len(s.body) > 0 {
		room := min(int64(c.maxFrame), int64(cap(dst)-len(dst)-frameHeader), s.window, c.window)
		if room <= 0 {
			return dst
		}
		n, flags := len(s.body), byte(flagEndStream)
		if int64(n) > room {
			n, flags = int(room), 0
		}
		dst = appendHeader(dst, n, frameData, flags, s.id)
		dst = append(dst, s.body[:n]...)
		s.body = s.body[n:]
		s.window -= int64(n)
		c.window -= int64(n)
		c.idle = 0
	}
	s.body = nil
	c.sending--
	return dst
}

// AppendData appends what may be sent of the bodies that AppendRequest left, as
// far as the capacity of dst allows, and returns the extended slice. more says that
// there is more for an empty dst.
func (c *Conn) AppendData(dst []byte) (whole []byte, more bool) {
	if c.sending == 0 {
		return dst, false
	}
	c.released = false
	for i := range c.streams {
		s := &c.streams[i]
		if len(s.body) == 0 {
			continue
		}
		dst = c.appendBody(dst, s)
		if len(s.body) > 0 && min(s.window, c.window) > 0 {
			c.released = true
			return dst, true
		}
	}
	return dst, false
}

// AppendControl appends what the peer has to be told, and returns the extended
// slice.
func (c *Conn) AppendControl(dst []byte) []byte {
	dst = append(dst, c.out...)
	c.out = c.out[:0]
	return dst
}

// Pending reports whether AppendControl or AppendData may have something.
func (c *Conn) Pending() bool { return len(c.out) > 0 || c.released && c.sending > 0 }

// AppendGoaway appends the end of the connection, for that reason.
func AppendGoaway(dst []byte, code ErrCode) []byte {
	dst = appendHeader(dst, 8, frameGoAway, 0, 0)
	return append(dst, 0, 0, 0, 0, byte(code>>24), byte(code>>16), byte(code>>8), byte(code))
}
