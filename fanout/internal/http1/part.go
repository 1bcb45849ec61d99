package http1

// Part says what bytes of a response are.
type Part uint8

// The parts.
const (
	Framing Part = iota // of chunks, and what ends the response
	Head                // status lines and field lines, of interim responses too, and the empty lines behind them
	Body                // of the content, without what frames it
	Trailer             // field lines behind a body in chunks
)

// ReadPart does what ReadWith does, for callers that keep the response: it stops
// at the end of the first part of it that begins in b, and says what the bytes are
// that it took. It takes none if it needs more of a line that is not complete.
func (r *Reader) ReadPart(m *Memo, b []byte) (n int, part Part, err error) {
	switch {
	case r.state <= atField:
		if n, err = r.readHeadWith(m, b); r.state == inBody && r.left == 0 {
			r.state = done
		}
		return n, Head, err
	case r.state == inBody:
		return r.skip(b), Body, nil
	case r.state == inBodyUntilClose:
		return len(b), Body, nil
	case r.state == inChunk:
		n = r.take(b)
		if r.left == 0 {
			r.state = atChunkEnd
		}
		return n, Body, nil
	case r.inTrailers():
		part = Trailer
	}
	for n < len(b) && r.state != inChunk && r.state != done && r.inTrailers() == (part == Trailer) && err == nil {
		var taken int
		taken, err = r.readChunks(b[n : n+1])
		n += taken
	}
	return n, part, err
}

func (r *Reader) inTrailers() bool { return r.state >= atTrailer && r.state < done }
