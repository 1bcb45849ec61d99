package http1

import (
	"bytes"
	"encoding/binary"
	"math"
)

// readHead takes the lines of the head that are complete in b, and of the
// interim heads before it.
func (r *Reader) readHead(b []byte) (n int, err error) {
	for r.state <= atField {
		rest := b[n:]
		if r.state == atStatusLine && !startsLikeStatusLine(rest) {
			return n, ErrStatusLine // maybe bytes of another protocol, without any line
		}
		end := bytes.IndexByte(rest, '\n')
		if size := end + 1; int(r.taken)+size > MaxHead || size == 0 && int(r.taken)+len(rest) >= MaxHead {
			return n, ErrHeadTooLong
		}
		if end < 0 {
			return n, nil
		}
		line := rest[:end]
		if end > 0 && line[end-1] == '\r' {
			line = line[:end-1]
		}
		switch {
		case r.state == atStatusLine:
			err = r.statusLine(line)
		case len(line) == 0:
			err = r.endOfHead()
		default:
			err = r.fieldLine(line)
		}
		if err != nil {
			return n, err
		}
		n += end + 1
		r.taken += uint32(end + 1)
	}
	return n, nil
}

const protocol = "HTTP/1."

func startsLikeStatusLine(b []byte) bool {
	if len(b) >= len(protocol) {
		return string(b[:len(protocol)]) == protocol
	}
	return string(b) == protocol[:len(b)]
}

// statusLine reads a line that starts like one (RFC 9112 section 4).
func (r *Reader) statusLine(line []byte) error {
	const noReason = len("HTTP/1.1 200")
	if len(line) < noReason || line[8] != ' ' || len(line) > noReason && line[noReason] != ' ' {
		return ErrStatusLine
	}
	minor, hundreds, tens, ones := line[7]-'0', line[9]-'0', line[10]-'0', line[11]-'0'
	if minor > 9 || hundreds-1 > 8 || tens > 9 || ones > 9 {
		return ErrStatusLine
	}
	if minor == 0 {
		r.flags |= http10
	}
	r.code = uint16(hundreds)*100 + uint16(tens)*10 + uint16(ones)
	r.state = atField
	return nil
}

// fieldLine looks at a field line, or at a line that continues the one before
// (RFC 9112 section 5.2).
func (r *Reader) fieldLine(line []byte) error {
	if line[0] == ' ' || line[0] == '\t' {
		switch {
		case r.flags&foldsFraming != 0:
			return ErrFramingField
		case r.flags&foldsConnection != 0:
			r.connection(line)
		}
		return nil
	}
	r.flags &^= foldsFraming | foldsConnection
	colon := bytes.IndexByte(line, ':')
	if colon < 0 {
		return ErrFieldLine
	}
	name, value := line[:colon], line[colon+1:]
	spaced := colon > 0 && isSpace(name[colon-1])
	if spaced {
		name = trim(name)
	}
	switch len(name) {
	case len("connection"):
		if isConnection(name) {
			r.connection(value)
			r.flags |= foldsConnection
		}
		return nil
	case len("content-length"):
		if !isContentLength(name) {
			return nil
		}
		r.contentLength(value)
	case len("transfer-encoding"):
		if !isTransferEncoding(name) {
			return nil
		}
		r.transferEncoding(value)
	default:
		return nil
	}
	r.flags |= foldsFraming
	if spaced {
		return ErrFramingField
	}
	return nil
}

// connection reads a list of connection options (RFC 9110 section 7.6.1).
func (r *Reader) connection(list []byte) {
	for more := true; more; {
		var option []byte
		option, list, more = bytes.Cut(list, comma)
		option = trim(option)
		switch len(option) {
		case len("close"):
			if bytes.EqualFold(option, closeOption) {
				r.flags |= closes
			}
		case len("keep-alive"):
			if bytes.EqualFold(option, keepAliveOption) {
				r.flags |= keepAlive
			}
		}
	}
}

// contentLength reads a length, or several that are equal (RFC 9110 section
// 8.6).
func (r *Reader) contentLength(list []byte) {
	for more := true; more; {
		var element []byte
		element, list, more = bytes.Cut(list, comma)
		length, ok := parseLength(trim(element))
		if !ok || r.flags&hasLength != 0 && length != r.left {
			r.flags |= badLength
		}
		r.flags |= hasLength
		r.left = length
	}
}

// transferEncoding notes whether the last coding is chunked. Fields of several
// lines are one list (RFC 9110 section 5.3), in which empty elements do not count.
func (r *Reader) transferEncoding(list []byte) {
	r.flags |= hasCoding
	for more := true; more; {
		var coding []byte
		coding, list, more = bytes.Cut(list, comma)
		switch coding = trim(coding); {
		case len(coding) == 0:
		case bytes.EqualFold(coding, chunkedCoding):
			r.flags |= isChunked
		default:
			r.flags &^= isChunked
		}
	}
}

// endOfHead decides how the body is framed, in the order of RFC 9112 section
// 6.3.
func (r *Reader) endOfHead() error {
	if r.code < 200 && r.code != 101 {
		*r = Reader{taken: r.taken, flags: r.flags & isHead}
		return nil
	}
	old := r.flags&http10 != 0
	coded := r.flags&hasCoding != 0
	if old && r.flags&keepAlive == 0 || coded && (old || r.flags&hasLength != 0) {
		r.flags |= closes
	}
	switch {
	case r.code == 101: // another protocol follows
		r.flags |= closes
		r.state = done
	case r.flags&isHead != 0 || r.code == 204 || r.code == 304:
		r.state = done
	case coded && r.flags&isChunked != 0 && !old:
		r.left = 0
		r.state = atChunkSize
	case coded || r.flags&hasLength == 0:
		r.flags |= closes
		r.state = inBodyUntilClose
	case r.flags&badLength != 0:
		return ErrContentLength
	case r.left == 0:
		r.state = done
	default:
		r.state = inBody
	}
	return nil
}

func parseLength(digits []byte) (n int64, ok bool) {
	for _, c := range digits {
		d := int64(c - '0')
		if d > 9 || n > (math.MaxInt64-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	return n, len(digits) > 0
}

// The names of the fields that are looked at, in any case: a letter and 0x20
// are the small letter, and of all other bytes only a CR could pass for the "-".

func isConnection(name []byte) bool {
	return word(name) == connectio && name[8]|0x20 == 'o' && name[9]|0x20 == 'n'
}

func isContentLength(name []byte) bool {
	return word(name) == content && word(name[6:]) == tLength && name[7] == '-'
}

func isTransferEncoding(name []byte) bool {
	return word(name) == transfer && word(name[9:]) == encoding && name[8] == '-'
}

// word returns the first eight bytes of a name, in small letters.
func word(name []byte) uint64 { return binary.LittleEndian.Uint64(name) | 0x2020202020202020 }

var (
	connectio = word([]byte("connecti"))
	content   = word([]byte("content-"))
	tLength   = word([]byte("t-length"))
	transfer  = word([]byte("transfer"))
	encoding  = word([]byte("encoding"))
)

// trim removes the white space around a value (RFC 9110 section 5.5).
func trim(b []byte) []byte {
	for len(b) > 0 && isSpace(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && isSpace(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' }

var (
	comma           = []byte(",")
	closeOption     = []byte("close")
	keepAliveOption = []byte("keep-alive")
	chunkedCoding   = []byte("chunked")
)
