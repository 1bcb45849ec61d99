package bench

import (
	"bytes"
	"errors"
	"strconv"
)

// scanner finds the ends of the requests in a stream of bytes. It has no copy
// of more than one unfinished head, and none of a body.
//
//	for s.feed(b); s.next(); {
//		… one more request has ended; s.isHead is of that one
//	}
type scanner struct {
	isHead bool // the method is HEAD
	err    error

	rest []byte // what is left of the input
	head []byte // an unfinished head from the input before
	body int64  // bytes of body that are still to come
	open bool   // a head was read whose body has not ended

	last     []byte // the last head; most requests of a load are equal
	lastBody int64
}

const maxHead = 1 << 20

// errFraming says that where a request ends cannot be known.
var errFraming = errors.New("malformed request")

// feed gives the scanner its next input, of which it keeps nothing once next
// has returned false.
func (s *scanner) feed(b []byte) { s.rest = b }

// next goes to the end of the next request and reports whether it is in the
// input. After false err says whether there is any sense in going on.
func (s *scanner) next() bool {
	if s.err != nil {
		return false
	}
	if !s.open && !s.readHead() {
		return false
	}
	n := min(s.body, int64(len(s.rest)))
	s.rest = s.rest[n:]
	s.body -= n
	s.open = s.body > 0
	return !s.open
}

func (s *scanner) readHead() bool {
	if len(s.head) > 0 {
		return s.readSplitHead()
	}
	if len(s.last) > 0 && bytes.HasPrefix(s.rest, s.last) {
		s.rest = s.rest[len(s.last):]
		s.body = s.lastBody
		return true
	}
	end := bytes.Index(s.rest, headEnd)
	if end < 0 {
		s.keep(s.rest)
		return false
	}
	end += len(headEnd)
	s.parseHead(s.rest[:end])
	s.rest = s.rest[end:]
	return s.err == nil
}

// readSplitHead completes a head that began in the input before.
func (s *scanner) readSplitHead() bool {
	input, before := s.rest, len(s.head)
	s.keep(input)
	from := max(0, before-len(headEnd)+1)
	i := bytes.Index(s.head[from:], headEnd)
	if i < 0 || s.err != nil {
		return false
	}
	end := from + i + len(headEnd)
	s.rest = input[end-before:]
	s.parseHead(s.head[:end])
	s.head = s.head[:0]
	return s.err == nil
}

func (s *scanner) keep(b []byte) {
	s.rest = nil
	if s.head = append(s.head, b...); len(s.head) > maxHead {
		s.err = errFraming
	}
}

var (
	headEnd = []byte("\r\n\r\n")
	crlf    = []byte("\r\n")
)

func (s *scanner) parseHead(head []byte) {
	s.body = 0
	_, fields, _ := bytes.Cut(head, crlf)
	for len(fields) > len(crlf) {
		var line []byte
		line, fields, _ = bytes.Cut(fields, crlf)
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch {
		case bytes.EqualFold(name, []byte("content-length")):
			n, err := strconv.ParseInt(string(bytes.TrimSpace(value)), 10, 64)
			if err != nil || n < 0 {
				s.err = errFraming
			}
			s.body = n
		case bytes.EqualFold(name, []byte("transfer-encoding")):
			s.err = errFraming
		}
	}
	s.isHead = bytes.HasPrefix(head, []byte("HEAD "))
	s.last, s.lastBody = append(s.last[:0], head...), s.body
}
