package http1

import (
	"strings"
	"testing"
	"unsafe"
)

// result is all that a Reader tells of a response.
type result struct {
	taken      int
	code       int
	done       bool
	untilClose bool
	closes     bool
	left       int64
	err        error
}

// read reads the response that b starts with, in pieces of which each ends at
// one of cuts, or in one if there are none.
func read(b string, head bool, cuts ...int) result {
	var r Reader
	r.Start(head)
	taken := 0
	for _, end := range append(cuts, len(b)) {
		n, err := r.Read([]byte(b[taken:end]))
		taken += n
		if err != nil || r.Done() {
			return r.result(taken, err)
		}
	}
	return r.result(taken, nil)
}

func (r *Reader) result(taken int, err error) result {
	return result{taken, r.Code(), r.Done(), r.UntilClose(), r.Close(), r.BodyLeft(), err}
}

// checkCuts checks that it makes no difference where b is cut.
func checkCuts(t *testing.T, b string, head bool, want result) {
	t.Helper()
	for i := range len(b) + 1 {
		if got := read(b, head, i); got != want {
			t.Fatalf("%q cut at %d: %+v, want %+v", b, i, got, want)
		}
	}
	bytewise := make([]int, len(b))
	for i := range bytewise {
		bytewise[i] = i
	}
	if got := read(b, head, bytewise...); got != want {
		t.Fatalf("%q byte by byte: %+v, want %+v", b, got, want)
	}
}

func TestReader(t *testing.T) {
	check := func(text string, head bool, want result) {
		t.Helper()
		if got := read(text, head); got != want {
			t.Fatalf("%q: %+v, want %+v", text, got, want)
		}
		checkCuts(t, text, head, want)
	}
	// whole is a response of which rest is left, so that the next one starts there.
	whole := func(text string, code int, closes bool) {
		t.Helper()
		want := result{taken: len(text), code: code, done: true, closes: closes}
		check(text, false, want)
		check(text+"HTTP/1.1 200 OK\r\n\r\n", false, want)
	}
	open := func(text string, code int) {
		t.Helper()
		check(text, false, result{taken: len(text), code: code, untilClose: true, closes: true, left: -1})
	}
	part := func(text string, taken, code int, left int64) {
		t.Helper()
		check(text, false, result{taken: taken, code: code, left: left})
	}
	wrong := func(text string, taken int, err error) {
		t.Helper()
		check(text, false, result{taken: taken, left: -1, err: err})
	}

	// Status lines.
	whole("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, false)
	whole("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", 200, false)
	whole("HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", 200, false)
	whole("HTTP/1.1 200 \xff\x00:\r\nContent-Length: 0\r\n\r\n", 200, false)
	whole("HTTP/1.7 299 OK\nContent-Length: 0\n\n", 299, false)
	whole("HTTP/1.1 999 \r\nContent-Length: 0\r\n\r\n", 999, false)
	whole("HTTP/1.1 600 \r\nContent-Length: 0\r\n\r\n", 600, false)
	wrong("HTTP/1.1 000 \r\n\r\n", 0, ErrStatusLine)
	wrong("HTTP/1.1 099 \r\n\r\n", 0, ErrStatusLine)
	wrong("HTTP/1.1 2000 OK\r\n\r\n", 0, ErrStatusLine)
	wrong("HTTP/1.1 20 OK\r\n\r\n", 0, ErrStatusLine)
	wrong("HTTP/1.1 2x0 OK\r\n\r\n", 0, ErrStatusLine)
	wrong("HTTP/1.1 20/ OK\r\n\r\n", 0, ErrStatusLine)
	wrong("HTTP/1.1 20\r\n\r\n", 0, ErrStatusLine)
	wrong("HTTP/1.1\t200 OK\r\n\r\n", 0, ErrStatusLine)
	wrong("HTTP/1.1  200 OK\r\n\r\n", 0, ErrStatusLine)
	wrong("HTTP/1.1 200\tOK\r\n\r\n", 0, ErrStatusLine)
	wrong("HTTP/1.x 200 OK\r\n\r\n", 0, ErrStatusLine)
	wrong("HTTP/2.0 200 OK\r\n\r\n", 0, ErrStatusLine)
	wrong("http/1.1 200 OK\r\n\r\n", 0, ErrStatusLine)
	wrong("\r\nHTTP/1.1 200 OK\r\n\r\n", 0, ErrStatusLine)
	wrong("\x15\x03\x01", 0, ErrStatusLine) // a TLS alert never has a line
	wrong("\x00\x00\x12\x04\x00", 0, ErrStatusLine)
	part("HTTP/1.1 20", 0, 0, -1)
	part("H", 0, 0, -1)
	part("", 0, 0, -1)

	// Content-Length.
	whole("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, false)
	whole("HTTP/1.1 200 OK\r\ncontent-length:\t002 \r\nX: y\r\n\r\nok", 200, false)
	whole("HTTP/1.1 200 OK\r\nCONTENT-LENGTH:2\r\n\r\nok", 200, false)
	whole("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok", 200, false)
	whole("HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok", 200, false)
	whole("HTTP/1.1 200 OK\r\nContent-Length: 2,02\t,2\r\nContent-Length: 2\r\n\r\nok", 200, false)
	part("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n1", 39, 200, 4)
	part("HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\n1", 57, 200, 9223372036854775806)
	length := func(value string) {
		t.Helper()
		head := "HTTP/1.1 200 OK\r\n" + value + "\r\n"
		wrong(head+"\r\n", len(head), ErrContentLength)
	}
	length("Content-Length: 9223372036854775808")
	length("Content-Length: 18446744073709551616")
	length("Content-Length: -1")
	length("Content-Length: +1")
	length("Content-Length: 1 1")
	length("Content-Length: 0x1")
	length("Content-Length: 1\r")
	length("Content-Length:")
	length("Content-Length: ,")
	length("Content-Length: 1,")
	length("Content-Length: 1, 2")
	length("Content-Length: 1\r\nContent-Length: 2")
	length("Content-Length: 1\r\nContent-Length: x\r\nContent-Length: 1")
	length("Content-Length: x\r\nContent-Length: 1\r\nContent-Length: 1")

	// Responses that have no body, whatever they say (RFC 9112 section 6.3).
	whole("HTTP/1.1 204 No Content\r\n\r\n", 204, false)
	whole("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", 204, false)
	whole("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, false)
	whole("HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", 304, false)
	whole("HTTP/1.1 304 Not Modified\r\nContent-Length: x\r\n\r\n", 304, false)
	head := func(text string, code int, closes bool) {
		t.Helper()
		check(text+"HTTP/1.1 200 OK\r\n\r\n", true, result{taken: len(text), code: code, done: true, closes: closes})
	}
	head("HTTP/1.1 200 OK\r\n\r\n", 200, false)
	head("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", 200, false)
	head("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 200, false)
	head("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", 200, false)
	head("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", 200, true)
	head("HTTP/1.0 200 OK\r\n\r\n", 200, true)
	head("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n", 200, false)
	head("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n", 200, true)
	head("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 No\r\n\r\n", 404, false)

	// Interim responses, and 101, which is final.
	whole("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, false)
	whole("HTTP/1.1 103 Early Hints\r\nContent-Length: x\r\nConnection: close\r\nTransfer-Encoding: gzip\r\n\r\nHTTP/1.1 199 \r\n\r\nHTTP/1.1 204 \r\n\r\n", 204, false)
	whole("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nContent-Length: 5\r\n\r\n", 101, true)
	part("HTTP/1.1 100 Continue\r\n\r\n", 25, 0, -1)
	wrong("HTTP/1.1 100 Continue\r\n\r\n200", 25, ErrStatusLine)

	// Connection (RFC 9112 section 9.6).
	closing := func(fields string, closes bool) {
		t.Helper()
		whole("HTTP/1.1 200 OK\r\n"+fields+"\r\nContent-Length: 0\r\n\r\n", 200, closes)
	}
	closing("Connection: close", true)
	closing("connection:CLOSE", true)
	closing("Connection : close", true)
	closing("Connection: keep-alive", false)
	closing("Connection: keep-alive, close", true)
	closing("Connection: a,\tClose\t, b", true)
	closing("Connection: upgrade\r\nConnection: close", true)
	closing("Connection: close\r\nConnection: keep-alive", true)
	closing("Connection: a,\r\n close", true)
	closing("Connection: x-close, close-x, closed", false)
	closing("Connection:", false)
	closing("X-Connection: close", false)
	part("HTTP/1.1 200 OK\r\nConnection: close\r\n", 36, 0, -1)
	closing("Proxy-Connection: close", false)
	whole("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n1", 200, true)
	whole("HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\n1", 200, false)
	whole("HTTP/1.0 200 OK\r\nConnection: x, keep-alive\r\nContent-Length: 1\r\n\r\n1", 200, false)
	whole("HTTP/1.0 200 OK\r\nConnection: keep-alive, close\r\nContent-Length: 1\r\n\r\n1", 200, true)

	// Bodies that end with the connection.
	open("HTTP/1.1 200 OK\r\n\r\n", 200)
	open("HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", 200)
	open("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nbody", 200)
	open("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nbody", 200)
	open("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\nContent-Length: 2\r\n\r\nbody", 200)
	open("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n\r\nbody", 200)
	open("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked;q=1\r\n\r\nbody", 200)
	open("HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\nContent-Length: 1\r\n\r\nbody", 200)
	open("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n0\r\n\r\n", 200)

	// Chunks.
	chunks := func(body string) {
		t.Helper()
		whole("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"+body, 200, false)
	}
	chunks("0\r\n\r\n")
	chunks("5\r\nhello\r\n0\r\n\r\n")
	chunks("00A\r\n0123456789\r\na\r\n0123456789\r\n000\r\n\r\n")
	chunks("5\nhello\n0\n\n")
	chunks("5;name=value;x=\"y;\"\r\nhello\r\n0;last\r\n\r\n")
	chunks("5 \t;a=\rb\r\nhello\r\n0 \r\n\r\n")
	chunks("0\r\nTrailer: x\r\nContent-Length: 7\r\n no colon\r\n\r\n")
	chunks("0\nTrailer\n\n")
	chunks("00000000000000000001\r\nx\r\n00000000000000000000\r\n\r\n")
	whole("HTTP/1.1 200 OK\r\nTransfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n", 200, false)
	whole("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, , chunked ,\r\n\r\n0\r\n\r\n", 200, false)
	whole("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\ntransfer-encoding: chunked\r\nTransfer-Encoding:\r\n\r\n0\r\n\r\n", 200, false)
	whole("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n0\r\n\r\n", 200, true)
	whole("HTTP/1.1 200 OK\r\nContent-Length: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200, true)
	chunked := "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	part(chunked+"4000000000000000\r\n", len(chunked)+18, 200, -1)
	part(chunked+"0\r\nx", len(chunked)+4, 200, -1)
	wrongChunk := func(body string, taken int) {
		t.Helper()
		check(chunked+body, false, result{taken: len(chunked) + taken, code: 200, left: -1, err: ErrChunk})
	}
	wrongChunk("4000000000000001\r\n", 15)
	wrongChunk("8000000000000000\r\n", 15)
	wrongChunk("10000000000000000\r\n", 16)
	wrongChunk("\r\n", 0)
	wrongChunk(" 5\r\n", 0)
	wrongChunk(";x\r\n", 0)
	wrongChunk("-1\r\n", 0)
	wrongChunk("5 5\r\n", 2)
	wrongChunk("5\rx\n", 2)
	wrongChunk("g\r\n", 0)
	wrongChunk("5:\r\n", 1)
	wrongChunk("5/\r\n", 1)
	wrongChunk("5\r\nhello0\r\n", 8)
	wrongChunk("5\r\nhello\r0\r\n", 9)
	wrongChunk("0\r\n\rx\n", 4)

	// Lines.
	whole("HTTP/1.1 200 OK\r\nX: a\r\n  folded: \r\n\tagain\r\nContent-Length: 1\r\n\r\n1", 200, false)
	whole("HTTP/1.1 200 OK\r\n Content-Length: 5\r\nContent-Length: 1\r\n\r\n1", 200, false)
	whole("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nX: y\r\n folded\r\n\r\n1", 200, false)
	whole("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nCache-Control: y\r\n folded\r\n\r\n1", 200, false)
	whole("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: y\r\n folded\r\n\r\n1", 200, false)
	whole("HTTP/1.1 200 OK\r\n(odd) \x00: x\r\n:\r\nContent-Length: 1\r\n\r\n1", 200, false)
	whole("HTTP/1.1 200 OK\r\nX : y\r\nContent-Length: 1\r\n\r\n1", 200, false)
	wrong("HTTP/1.1 200 OK\r\nno colon\r\n\r\n", 17, ErrFieldLine)
	wrong("HTTP/1.1 200 OK\r\nContent-Length\r\n\r\n", 17, ErrFieldLine)
	wrong("HTTP/1.1 200 OK\r\n\r\r\n", 17, ErrFieldLine)
	wrong("HTTP/1.1 200 OK\r\nContent-Length : 1\r\n\r\n", 17, ErrFramingField)
	wrong("HTTP/1.1 200 OK\r\nTransfer-Encoding\t : chunked\r\n\r\n", 17, ErrFramingField)
	wrong("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n 2\r\n\r\n", 36, ErrFramingField)
	wrong("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n X: y\r\n\r\n", 36, ErrFramingField)
	wrong("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\tX: y\r\n\r\n", 36, ErrFramingField)
	wrong("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n \r\n\r\n", 45, ErrFramingField)
	wrong("HTTP/1.1 204 OK\r\nTransfer-Encoding: chunked\r\n\t,\r\n\r\n", 45, ErrFramingField)
}

// TestReaderKnowsNames checks that fields whose names are not quite those that
// are looked at are none of them.
func TestReaderKnowsNames(t *testing.T) {
	f := func(name, value string) {
		t.Helper()
		for i := range name {
			for _, c := range []byte{name[i] ^ 1, name[i] ^ 0x40, 0x80 | name[i], '\r', 0} {
				odd := name[:i] + string([]byte{c}) + name[i+1:]
				text := "HTTP/1.1 200 OK\r\n" + odd + ": " + value + "\r\nContent-Length: 2\r\n\r\n"
				if got, want := read(text, false), (result{taken: len(text), code: 200, left: 2}); got != want {
					t.Errorf("%q: %+v, want %+v", text, got, want)
				}
			}
		}
	}
	f("Connection", "close")
	f("Content-Length", "3")
	f("Transfer-Encoding", "chunked")
}

func TestReaderHeadLength(t *testing.T) {
	// head returns a head of n bytes.
	head := func(n int) string {
		const around = "HTTP/1.1 204 \r\nX: \r\n\r\n"
		return strings.Replace(around, "X: ", "X: "+strings.Repeat("x", n-len(around)), 1)
	}
	f := func(text string, want result) {
		t.Helper()
		for _, cuts := range [][]int{nil, {len(text) - 1}, {MaxHead - 6, MaxHead - 5}, {20, 50}} {
			got := read(text, false, cuts...)
			if want.err != nil { // how much was taken before depends on the cuts
				got.taken = want.taken
			}
			if got != want {
				t.Errorf("%d bytes cut at %d: %+v, want %+v", len(text), cuts, got, want)
			}
		}
	}
	f(head(MaxHead), result{taken: MaxHead, code: 204, done: true})
	f(head(MaxHead+1), result{taken: MaxHead - 1, left: -1, err: ErrHeadTooLong})
	f(head(MaxHead+2), result{taken: MaxHead, left: -1, err: ErrHeadTooLong})
	f(head(MaxHead+3), result{taken: 15, left: -1, err: ErrHeadTooLong})
	f(head(MaxHead)[:MaxHead-5], result{taken: MaxHead - 5, left: -1})
	f("HTTP/1.1 200 "+strings.Repeat("x", MaxHead), result{left: -1, err: ErrHeadTooLong})
	interim := "HTTP/1.1 100 \r\n\r\n"
	f(interim+head(MaxHead-len(interim)), result{taken: MaxHead, code: 204, done: true})
	f(interim+head(MaxHead-len(interim)+1), result{taken: MaxHead - 1, left: -1, err: ErrHeadTooLong})
	endless := strings.Repeat(interim, MaxHead/len(interim)+1)
	f(endless, result{taken: MaxHead / len(interim) * len(interim), left: -1, err: ErrHeadTooLong})
}

func TestReaderReadsOneAfterAnother(t *testing.T) {
	b := []byte("HTTP/1.1 404 \r\nContent-Length: 2\r\nConnection: close\r\n\r\nno" +
		"HTTP/1.1 200 \r\nContent-Length: 5\r\n\r\n" + // to HEAD
		"HTTP/1.1 100 \r\n\r\nHTTP/1.1 201 \r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")
	var r Reader // the zero value is ready
	next := func(head bool, code int, closes bool) {
		t.Helper()
		if head {
			r.Start(head)
		}
		if r.Started() {
			t.Error("started before its first byte")
		}
		n, err := r.Read(b)
		if err != nil || !r.Done() || !r.Started() || r.Code() != code || r.Close() != closes {
			t.Errorf("%+v, want %d", r.result(n, err), code)
		}
		b = b[n:]
		if n, err := r.Read(b); n != 0 || err != nil {
			t.Errorf("took %d bytes behind the end, %v", n, err)
		}
		r.Start(false)
	}
	next(false, 404, true)
	next(true, 200, false)
	next(false, 201, false)
	if len(b) > 0 {
		t.Errorf("%q is left", b)
	}
}

func TestReaderStarted(t *testing.T) {
	var r Reader
	text := "HTTP/1.1 100 \r\n\r\nHTTP/1.1 200 \r\nContent-Length: 5\r\n\r\n"
	if n, _ := r.Read([]byte(text[:12])); n != 0 || r.Started() {
		t.Errorf("started by a part of a line, of which %d bytes were taken", n)
	}
	if n, _ := r.Read([]byte(text[:17])); n != 17 || !r.Started() {
		t.Errorf("not started by an interim response, of which %d bytes were taken", n)
	}
}

// What has to be kept of a line is short, whatever the line is: the rest of one
// that says nothing of framing is taken as it comes.
func TestReaderLeavesLittle(t *testing.T) {
	f := func(line string, wantErr error) {
		t.Helper()
		text := "HTTP/1.1 200 OK\r\n" + line + "\r\nContent-Length: 0\r\n\r\n"
		for _, step := range []int{1, 7, 1000} {
			var r Reader
			var err error
			for given, taken := 0, 0; given < len(text) && err == nil; {
				given = min(given+step, len(text))
				n := 0
				n, err = r.Read([]byte(text[taken:given]))
				if taken += n; err == nil && given-taken >= MaxRest {
					t.Fatalf("%.20q in steps of %d: %d bytes are left", line, step, given-taken)
				}
			}
			if err != wantErr || err == nil && !r.Done() {
				t.Errorf("%.20q in steps of %d: done %v, %v, want %v", line, step, r.Done(), err, wantErr)
			}
		}
		var r Reader
		if _, err := r.Read([]byte(text)); err != wantErr {
			t.Errorf("%.20q whole: %v, want %v", line, err, wantErr)
		}
	}
	long := strings.Repeat("x", MaxHead/2)
	f("Set-Cookie: "+long, nil)
	f("X-"+long+": y", nil)
	f("X-"+long, ErrFieldLine)
	f("X: y\r\n "+long, nil)
	f("Connection: "+long, ErrHeadTooLong)
	f("Connection: keep-alive\r\n "+long, ErrHeadTooLong)
	f("Content-Length: "+strings.Repeat("0", MaxHead/2), ErrHeadTooLong)
	f("Connection: "+strings.Repeat("x", MaxRest-len("Connection: \r\n")), nil)
	f("Connection: "+strings.Repeat("x", MaxRest-len("Connection: \r\n")+1), ErrHeadTooLong)
}

func TestReaderSize(t *testing.T) {
	if size := unsafe.Sizeof(Reader{}); size > 24 {
		t.Errorf("%d bytes for each connection that waits", size)
	}
}

func TestReaderAllocates(t *testing.T) {
	b := []byte("HTTP/1.1 103 \r\nLink: x\r\n\r\n" + responses["12 fields"] + responses["chunked"] + "HTTP/1.1 000 \r\n")
	var r Reader
	allocated := testing.AllocsPerRun(100, func() {
		for rest := b; ; {
			r.Start(false)
			n, err := r.Read(rest)
			if rest = rest[n:]; err != nil {
				if err != ErrStatusLine || len(rest) != 15 {
					t.Error(err, len(rest))
				}
				return
			}
		}
	})
	if allocated != 0 {
		t.Errorf("%v allocations", allocated)
	}
}

// responses are those that are measured.
var responses = map[string]string{
	"small": "HTTP/1.1 200 OK\r\nServer: x\r\nDate: Mon, 02 Jan 2006 15:04:05 GMT\r\nContent-Length: 2\r\n\r\nok",
	"12 fields": "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Mon, 02 Jan 2006 15:04:05 GMT\r\n" +
		"Content-Type: application/json; charset=utf-8\r\nContent-Length: 27\r\nConnection: keep-alive\r\n" +
		"Vary: Accept-Encoding\r\nETag: W/\"1b-0qGvkPVtJPJ4bBxYJQhQpw\"\r\nX-Request-Id: 5f0c1d9e-3a52-4a38-9a4f-7f0c2f6f1d3b\r\n" +
		"Cache-Control: private, max-age=0, must-revalidate\r\nX-Frame-Options: SAMEORIGIN\r\n" +
		"X-Content-Type-Options: nosniff\r\nStrict-Transport-Security: max-age=31536000; includeSubDomains\r\n\r\n" +
		`{"id":12345,"price":19.990}`,
	"chunked": "HTTP/1.1 200 OK\r\nServer: x\r\nTransfer-Encoding: chunked\r\n\r\n" +
		strings.Repeat("400\r\n"+strings.Repeat("x", 1024)+"\r\n", 4) + "0\r\n\r\n",
	"14 kB":         "HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 14000\r\n\r\n" + strings.Repeat("x", 14000),
	"16,000 fields": "HTTP/1.1 200 OK\r\n" + strings.Repeat("a:\r\n", 16000) + "Content-Length: 2\r\n\r\nok",
}

func BenchmarkReader(b *testing.B) {
	for _, name := range []string{"small", "12 fields", "16,000 fields", "chunked", "14 kB"} {
		b.Run(name, func(b *testing.B) {
			response := []byte(responses[name])
			b.SetBytes(int64(len(response)))
			b.ReportAllocs()
			var r Reader
			for b.Loop() {
				r.Start(false)
				n, err := r.Read(response)
				if n != len(response) || err != nil || !r.Done() {
					b.Fatal(n, err)
				}
			}
		})
	}
}
