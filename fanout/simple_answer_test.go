package fanout

import (
	"bufio"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"
)

func TestSimpleAnswer(t *testing.T) {
	f := func(text string, toHead bool, code, body int) {
		t.Helper()
		a, ok := parseSimpleAnswer([]byte(text), toHead)
		if ok != (code != 0) {
			t.Fatalf("%q: taken for simple: %v", text, ok)
		}
		head := strings.Index(text, "\r\n\r\n") + 4
		if ok && (a.code != code || a.head != head || a.body != body) {
			t.Fatalf("%q: %+v", text, a)
		}
	}
	f("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false, 200, 0)
	f("HTTP/1.1 200 OK\r\ncontent-length:12\r\nDate: now\r\n\r\nHTTP/", false, 200, 12)
	f("HTTP/1.1 404\r\nContent-Length: 7\r\nConnection: Keep-Alive\r\n\r\n", false, 404, 7)
	f("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", true, 200, 0)
	f("HTTP/1.1 204 No Content\r\n\r\n", false, 204, 0)
	f("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", false, 204, 0)
	f("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", false, 304, 0)
	f("HTTP/1.1 500 \r\nContent-Length: 1048576\r\n\r\n", false, 500, 1<<20)

	notSimple := func(text string) { t.Helper(); f(text, false, 0, 0) }
	notSimple("")
	notSimple("HTTP/1.1 200")
	notSimple("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n") // not all there
	notSimple("HTTP/1.1 200 OK\r\n\r\n")                  // ends with the connection
	notSimple("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n")
	notSimple("HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n")
	notSimple("HTTP/1.1 101 Switching Protocols\r\nContent-Length: 0\r\n\r\n")
	notSimple("HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n")
	notSimple("HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n")
	notSimple("HTTP/1.1 700 OK\r\nContent-Length: 0\r\n\r\n")
	notSimple("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n")
	notSimple("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n")
	notSimple("HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n")
	notSimple("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	notSimple("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n")
	notSimple("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n folded\r\n\r\n")
	notSimple("HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n")
	notSimple("HTTP/1.1 200 OK\r\nnonsense\r\nContent-Length: 0\r\n\r\n")
	notSimple("HTTP/1.1 200 OK\nContent-Length: 0\n\n")
}

// FuzzSimpleAnswer checks that the short cut takes nothing that fasthttp reads
// in another way.
func FuzzSimpleAnswer(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 2\r\n\r\nok"), false)
	f.Add([]byte("HTTP/1.1 304 Not Modified\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n"), true)
	f.Fuzz(func(t *testing.T, b []byte, toHead bool) {
		a, ok := parseSimpleAnswer(b, toHead)
		if !ok {
			return
		}
		var want fasthttp.Response
		want.SkipBody, want.StreamBody = toHead, true
		r := bufio.NewReaderSize(strings.NewReader(string(b)), readBuffer)
		if err := want.ReadLimitBody(r, 0); err != nil {
			return // stricter than needed to find the end of the answer
		}
		length := 0
		if want.BodyStream() != nil {
			length = want.Header.ContentLength()
		}
		if want.StatusCode() != a.code || length != a.body || wantsClose(&want) {
			t.Errorf("%q: %+v, but fasthttp reads %d, %d bytes of body, closes %v", b, a, want.StatusCode(), length, wantsClose(&want))
		}
	})
}
