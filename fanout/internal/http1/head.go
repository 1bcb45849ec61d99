package http1

import (
	"bytes"
	"encoding/binary"
	"math"
)

// readHead takes the lines of the head that are complete in b, and of the
// interim heads before it.
func (r *Reader) readHead(b []byte) (n int, err error) {
	room := MaxHead - int(r.taken)
	b = b[:min(len(b), room)]
	for r.state <= atField {
		if r.state == atStatusLine && !startsLikeStatusLine(b[n:]) {
			err = ErrStatusLine // maybe of another protocol, in which a line never ends
			break
		}
		size := bytes.IndexByte(b[n:], '\n') + 1
		if size == 0 {
			if len(b) == room {
				err = ErrHeadTooLong
				break
			}
			var taken int
			taken, err = r.beginLine(b[n:])
			n += taken
			break
		}
		line := b[n : n+size-1]
		if len(line) > 0 && line[len(line)-1] == '\r' {
			line = line[:len(line)-1]
		}
		switch {
		case r.state == inField:
			err = r.endLine(line)
		case r.state == atStatusLine:
			err = r.statusLine(line)
		case len(line) == 0:
			err = r.endOfHead()
		case !mayMatter[line[0]] && hasColon(line):
			r.flags &^= foldsFraming | foldsConnection
		case size > MaxRest && r.isFraming(line):
			err = ErrHeadTooLong
		default:
			err = r.fieldLine(line)
		}
		if err != nil {
			break
		}
		n += size
	}
	r.taken += uint32(n)
	return n, err
}

// mayMatter tells by its first byte whether a line may be a field that is looked
// at, or continue one. Most are told apart by that.
var mayMatter = [256]bool{' ': true, '\t': true, 'c': true, 'C': true, 't': true, 'T': true}

// hasColon does what bytes.IndexByte would, which takes a fifth longer for all
// of a head: names are short, and a call costs more than to look at them.
func hasColon(line []byte) bool {
	const ones = 0x0101010101010101
	const colons = ':' * ones
	for ; len(line) >= 8; line = line[8:] {
		zeros := binary.LittleEndian.Uint64(line) ^ colons
		if (zeros-ones)&^zeros&(ones<<7) != 0 {
			return true
		}
	}
	for _, c := range line {
		if c == ':' {
			return true
		}
	}
	return false
}

// beginLine looks at a line that is not complete, and takes what is there of it
// if that says all there is to know: then nobody has to keep it.
func (r *Reader) beginLine(b []byte) (n int, err error) {
	const noReason = len("HTTP/1.1 200")
	switch {
	case len(b) == 0:
		return 0, nil
	case r.state == inField:
	case r.state == atStatusLine:
		if len(b) <= noReason || b[noReason] == '\r' && len(b) == noReason+1 {
			return 0, nil
		}
		if err := r.statusLine(b[:noReason+1]); err != nil {
			return 0, err
		}
	case r.isFraming(b) || len(b) <= len("transfer-encoding") && !hasColon(b) && !isSpace(b[0]):
		if len(b) >= MaxRest {
			err = ErrHeadTooLong
		}
		return 0, err
	default:
		r.flags &^= foldsFraming | foldsConnection
		if !isSpace(b[0]) {
			r.flags |= lacksColon
		}
	}
	if hasColon(b) {
		r.flags &^= lacksColon
	}
	r.state = inField
	return len(b), nil
}

// endLine reads the end of a line that says nothing of framing.
func (r *Reader) endLine(rest []byte) error {
	if r.flags&lacksColon != 0 && !hasColon(rest) {
		return ErrFieldLine
	}
	r.flags &^= lacksColon
	r.state = atField
	return nil
}

// isFraming reports whether a line has, or with more behind it may have, the name
// of a field that is looked at, or continues one.
func (r *Reader) isFraming(line []byte) bool {
	if isSpace(line[0]) {
		return r.flags&(foldsFraming|foldsConnection) != 0
	}
	name := line
	if colon := bytes.IndexByte(line, ':'); colon >= 0 {
		name = line[:colon]
	}
	switch name = trim(name); len(name) {
	case len("connection"):
		return isConnection(name)
	case len("content-length"):
		return isContentLength(name)
	case len("transfer-encoding"):
		return isTransferEncoding(name)
	}
	return false
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
