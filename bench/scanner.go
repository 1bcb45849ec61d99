package bench

import (
	"bytes"
	"fmt"
	"strconv"
)

// scanner finds the ends of the HTTP/1 requests in a stream of bytes, framed in
// any way that RFC 9112 section 6 allows. It has no copy of more than one head or
// line, and none of a body.
//
//	for s.feed(b); s.next(); {
//		… one more request has ended; s.head is of that one
//	}
type scanner struct {
	head head  // of the request that is under way or has just ended
	err  error // why the ends cannot be found any more; it names what was sent

	rest  []byte // what is left of the input
	state scanState
	ended bool   // a request has just ended
	left  int64  // bytes of body or chunk that are still to come
	line  []byte // the beginning of a line that the input before ended with

	lines  []byte // the head as far as it has come
	last   []byte // the last head; most requests of a load are equal
	lastOf head
}

// head is what a head says of what comes behind it.
type head struct {
	isHEAD   bool  // the response has no body
	length   int64 // Content-Length in bytes, -1 without
	chunked  bool
	coded    bool // it has a Transfer-Encoding
	closes   bool // the client wants the connection to end behind the response
	expects  bool // the client waits for a 100 (Continue)
	version0 bool // HTTP/1.0
}

type scanState int

const (
	inStartLine scanState = iota
	inFields
	inBody
	inChunkSize
	inChunk
	inChunkEnd
	inTrailers
)

// maxHead is the most of a head in bytes, or of one line behind it.
const maxHead = 1 << 20

// feed gives the scanner its next input, of which it keeps nothing once next
// has returned false.
func (s *scanner) feed(b []byte) { s.rest = b }

// waits reports whether the client wants to hear a 100 (Continue) before it sends
// the body, of which nothing has come. Each request waits but once.
func (s *scanner) waits() bool {
	waits := s.err == nil && s.head.expects && s.state >= inBody
	s.head.expects = s.head.expects && !waits
	return waits
}

// next goes to the end of the next request and reports whether it is in the
// input. After false err says whether there is any sense in going on.
func (s *scanner) next() bool {
	for more := true; more && s.err == nil; {
		if more = s.step(); s.ended {
			s.ended, s.state = false, inStartLine
			return true
		}
	}
	return false
}

// step goes on in the input, by a head, a line or a part of the body, and reports
// whether there was enough of it.
func (s *scanner) step() (more bool) {
	switch s.state {
	case inStartLine:
		return s.repeatHead() || s.readLine(s.startLine)
	case inFields:
		return s.readLine(s.field)
	case inChunkSize:
		return s.readLine(s.chunkSize)
	case inChunkEnd:
		return s.readLine(s.chunkEnd)
	case inTrailers:
		return s.readLine(s.trailer)
	default:
		return s.readBody()
	}
}

// repeatHead skips the last head if the whole of it comes once more.
func (s *scanner) repeatHead() bool {
	if len(s.last) == 0 || len(s.line) > 0 || !bytes.HasPrefix(s.rest, s.last) {
		return false
	}
	s.rest, s.head = s.rest[len(s.last):], s.lastOf
	s.begin()
	return true
}

// begin goes from the head to what it announces.
func (s *scanner) begin() {
	switch {
	case s.head.chunked:
		s.state = inChunkSize
	case s.head.length > 0:
		s.state, s.left = inBody, s.head.length
	default:
		s.ended = true
	}
}

func (s *scanner) readBody() (more bool) {
	n := min(s.left, int64(len(s.rest)))
	s.rest = s.rest[n:]
	if s.left -= n; s.left > 0 {
		return false
	}
	s.ended = s.state == inBody
	s.state = inChunkEnd
	return true
}

// readLine calls use with the next line without its end, if it is in the input.
// RFC 9112 section 2.2 lets a LF alone end a line.
func (s *scanner) readLine(use func([]byte)) bool {
	i := bytes.IndexByte(s.rest, '\n')
	if i < 0 {
		s.line = append(s.line, s.rest...)
		s.rest = nil
		s.bound(len(s.line))
		return false
	}
	line := s.rest[:i+1]
	s.rest = s.rest[i+1:]
	if len(s.line) > 0 {
		s.line = append(s.line, line...)
		line, s.line = s.line, s.line[:0]
	}
	if s.state <= inFields {
		s.lines = append(s.lines, line...)
		s.bound(len(s.lines))
	}
	use(bytes.TrimSuffix(line[:len(line)-1], []byte("\r")))
	return s.err == nil
}

func (s *scanner) bound(n int) {
	if n > maxHead {
		s.fail("a head or line of more than %d bytes", maxHead)
	}
	if s.state == inStartLine && len(s.line) > 0 && s.line[0] == tlsHandshake {
		s.fail("TLS, which this sink does not speak")
	}
}

// tlsHandshake is the first byte of a ClientHello, and of no request.
const tlsHandshake = 0x16

func (s *scanner) fail(format string, args ...any) {
	if s.err == nil {
		s.err = fmt.Errorf(format, args...)
	}
}

// startLine reads a request line. RFC 9112 section 2.2 has empty lines in front of
// it ignored.
func (s *scanner) startLine(line []byte) {
	if len(line) == 0 {
		s.lines = s.lines[:0]
		return
	}
	method, rest, _ := bytes.Cut(line, []byte(" "))
	_, version, _ := bytes.Cut(rest, []byte(" "))
	s.head = head{isHEAD: string(method) == "HEAD", length: -1, version0: string(version) == "HTTP/1.0"}
	s.head.closes = s.head.version0
	s.state = inFields
	switch {
	case line[0] == tlsHandshake:
		s.fail("TLS, which this sink does not speak")
	case string(line) == "PRI * HTTP/2.0":
		s.fail("HTTP/2, which this sink does not speak")
	case string(method) == "CONNECT":
		s.fail("CONNECT, behind which is no HTTP")
	case string(version) != "HTTP/1.1" && !s.head.version0:
		s.fail("the request line %.80q, which is not of HTTP/1.1", line)
	}
}

// field reads a field line, or the end of the head.
func (s *scanner) field(line []byte) {
	if len(line) == 0 {
		s.endHead()
		return
	}
	name, value, ok := bytes.Cut(line, []byte(":"))
	if !ok || len(name) == 0 || bytes.ContainsAny(name, " \t") {
		s.fail("the field line %.80q", line)
		return
	}
	value = bytes.Trim(value, " \t")
	switch {
	case bytes.EqualFold(name, []byte("content-length")):
		s.contentLength(value)
	case bytes.EqualFold(name, []byte("transfer-encoding")):
		// Only the last coding frames the body, RFC 9112 section 6.3.
		s.head.coded = true
		last := value[bytes.LastIndexByte(value, ',')+1:]
		s.head.chunked = bytes.EqualFold(bytes.Trim(last, " \t"), []byte("chunked"))
	case bytes.EqualFold(name, []byte("connection")):
		s.head.closes = hasToken(value, "close") || s.head.version0 && !hasToken(value, "keep-alive")
	case bytes.EqualFold(name, []byte("expect")):
		s.head.expects = bytes.EqualFold(value, []byte("100-continue"))
	}
}

// contentLength reads a length, or several if they are equal: RFC 9110 section 8.6.
func (s *scanner) contentLength(value []byte) {
	for text := range bytes.SplitSeq(value, []byte(",")) {
		n, err := strconv.ParseUint(string(bytes.Trim(text, " \t")), 10, 63)
		if err != nil || s.head.length >= 0 && s.head.length != int64(n) {
			s.fail("the Content-Length: %.80q", value)
			return
		}
		s.head.length = int64(n)
	}
}

func (s *scanner) endHead() {
	if s.head.coded && !s.head.chunked {
		s.fail("a Transfer-Encoding whose last coding is not chunked, so that the body has no end")
		return
	}
	s.last, s.lastOf = append(s.last[:0], s.lines...), s.head
	s.lines = s.lines[:0]
	s.begin()
}

func (s *scanner) chunkSize(line []byte) {
	size, _, _ := bytes.Cut(line, []byte(";")) // extensions come behind it
	n, err := strconv.ParseUint(string(bytes.Trim(size, " \t")), 16, 63)
	switch {
	case err != nil:
		s.fail("the chunk size %.40q", line)
	case n == 0:
		s.state = inTrailers
	default:
		s.state, s.left = inChunk, int64(n)
	}
}

func (s *scanner) chunkEnd(line []byte) {
	if s.state = inChunkSize; len(line) > 0 {
		s.fail("a chunk that does not end where its size says")
	}
}

func (s *scanner) trailer(line []byte) { s.ended = len(line) == 0 }

// hasToken reports whether a list like that of Connection has the token.
func hasToken(list []byte, token string) bool {
	for t := range bytes.SplitSeq(list, []byte(",")) {
		if bytes.EqualFold(bytes.Trim(t, " \t"), []byte(token)) {
			return true
		}
	}
	return false
}
