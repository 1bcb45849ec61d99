package fanout

import (
	"bytes"

	"github.com/mirrorgate/mirrorgate/fanout/internal/wire"
)

// simpleAnswer is the head of an answer as nearly all are: a final status line
// of HTTP/1.1, and a length.
type simpleAnswer struct {
	code int
	head int // bytes up to the body
	body int // bytes of the body
}

// parseSimpleAnswer reads the head that b starts with, if all of it is there and
// nothing in it is out of the ordinary: no interim answer, no transfer coding,
// no Connection but keep-alive, one readable length. All else is left to
// fasthttp, which is thorough, and takes four times as long.
func parseSimpleAnswer(b []byte, toHead bool) (a simpleAnswer, ok bool) {
	const statusLine = len("HTTP/1.1 200")
	if len(b) < statusLine || string(b[:9]) != "HTTP/1.1 " {
		return a, false
	}
	class, tens, ones := b[9]-'0', b[10]-'0', b[11]-'0'
	if class < 2 || class > 5 || tens > 9 || ones > 9 {
		return a, false
	}
	a.code = int(class)*100 + int(tens)*10 + int(ones)
	empty := a.code == 204 || a.code == 304 // whatever they declare
	hasLength := false
	for first := true; ; first = false {
		end := bytes.IndexByte(b[a.head:], '\n')
		if end < 1 || b[a.head+end-1] != '\r' {
			return a, false
		}
		line := b[a.head : a.head+end-1]
		a.head += end + 1
		if len(line) == 0 {
			break
		}
		if first {
			if len(line) > statusLine && line[statusLine] != ' ' {
				return a, false
			}
			continue
		}
		name, value, ok := bytes.Cut(line, colon)
		if !ok || !wire.ValidName(name) {
			return a, false
		}
		switch len(name) {
		case len("connection"):
			if wire.EqualFold(name, "connection") && !bytes.EqualFold(bytes.TrimSpace(value), keepAlive) {
				return a, false
			}
		case len("content-length"):
			if !wire.EqualFold(name, "content-length") {
				continue
			}
			n, readable := wire.ParseLength(bytes.TrimSpace(value))
			if hasLength || !readable || n > maxAnswer {
				return a, false
			}
			hasLength = true
			a.body = int(n)
		case len("transfer-encoding"):
			if wire.EqualFold(name, "transfer-encoding") {
				return a, false
			}
		}
	}
	if empty || toHead {
		a.body = 0
	}
	return a, hasLength || empty
}

// closeAnnounced reports whether the next head, of an answer to HEAD, announces
// the end of its connection. False also if that cannot be told, as behind an
// interim answer.
func (l *lane) closeAnnounced() bool {
	for n := 1; ; n = l.reader.Buffered() + 1 {
		_, err := l.reader.Peek(n) // an error is met again by whoever reads on
		b, _ := l.reader.Peek(l.reader.Buffered())
		if end := bytes.Index(b, headEnd); end >= 0 {
			return announcesClose(b[:end])
		}
		if err != nil {
			return false
		}
	}
}

// announcesClose looks for the token in the Connection fields of a final answer.
func announcesClose(head []byte) bool {
	if bytes.HasPrefix(head, interim) {
		return false
	}
	for line := range bytes.SplitSeq(head, crlf) {
		name, value, _ := bytes.Cut(line, colon)
		if !wire.EqualFold(name, "connection") {
			continue
		}
		for token := range bytes.SplitSeq(value, comma) {
			if bytes.EqualFold(bytes.TrimSpace(token), closeToken) {
				return true
			}
		}
	}
	return false
}

var (
	headEnd    = []byte("\r\n\r\n")
	crlf       = []byte("\r\n")
	comma      = []byte(",")
	closeToken = []byte("close")
	interim    = []byte("HTTP/1.1 1")
	colon      = []byte(":")
	keepAlive  = []byte("keep-alive")
)
