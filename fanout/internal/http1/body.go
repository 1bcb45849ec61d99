package http1

import "bytes"

// maxChunk is the size in bytes that a chunk may have.
const maxChunk = 1 << 62

// skip takes what is there of a body with a length.
func (r *Reader) skip(b []byte) (n int) {
	n = r.take(b)
	if r.left == 0 {
		r.state = done
	}
	return n
}

// take takes what is there of the bytes that are left.
func (r *Reader) take(b []byte) (n int) {
	n = int(min(r.left, int64(len(b))))
	r.left -= int64(n)
	return n
}

// readChunks takes what is there of a body in chunks (RFC 9112 section 7.1) and
// of the trailer fields behind it. Chunk extensions and trailer fields are
// passed over, however long they are.
func (r *Reader) readChunks(b []byte) (n int, err error) {
	for n < len(b) && r.state != done {
		switch r.state {
		case inChunk:
			n += r.take(b[n:])
			if r.left == 0 {
				r.state = atChunkEnd
			}
		case inChunkExt, inTrailer:
			end := bytes.IndexByte(b[n:], '\n')
			if end < 0 {
				return len(b), nil
			}
			n += end + 1
			r.endOfLine()
		default:
			if !r.chunkByte(b[n]) {
				return n, ErrChunk
			}
			n++
		}
	}
	return n, nil
}

// chunkByte reads one byte of what stands around the chunks. It reports whether
// that may stand there.
func (r *Reader) chunkByte(c byte) bool {
	switch r.state {
	case atChunkSize, inChunkSize:
		if digit, ok := hexDigit(c); ok {
			if r.left > (maxChunk-digit)>>4 {
				return false
			}
			r.left = r.left<<4 | digit
			r.state = inChunkSize
			return true
		}
		return r.state == inChunkSize && r.behindSize(c)
	case inChunkSpace:
		return r.behindSize(c)
	case atChunkEnd:
		if c == '\r' {
			r.state = atChunkEndLF
			return true
		}
	case atTrailer:
		switch c {
		case '\r':
			r.state = atLastLF
			return true
		case '\n':
		default:
			r.state = inTrailer
			return true
		}
	}
	if c != '\n' {
		return false
	}
	r.endOfLine()
	return true
}

// behindSize reads a byte between the size of a chunk and its extensions or the
// end of the line.
func (r *Reader) behindSize(c byte) bool {
	switch c {
	case ' ', '\t':
		r.state = inChunkSpace
	case ';':
		r.state = inChunkExt
	case '\r':
		r.state = atChunkSizeLF
	case '\n':
		r.endOfLine()
	default:
		return false
	}
	return true
}

// endOfLine goes on behind the LF of a line around the chunks.
func (r *Reader) endOfLine() {
	switch r.state {
	case atChunkEnd, atChunkEndLF:
		r.state = atChunkSize
	case inTrailer:
		r.state = atTrailer
	case atTrailer, atLastLF:
		r.state = done
	default: // of a size
		r.state = inChunk
		if r.left == 0 {
			r.state = atTrailer
		}
	}
}

func hexDigit(c byte) (digit int64, ok bool) {
	switch {
	case c-'0' <= 9:
		return int64(c - '0'), true
	case c|0x20-'a' <= 5:
		return int64(c|0x20-'a') + 10, true
	}
	return 0, false
}
