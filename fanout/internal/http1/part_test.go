package http1

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
)

// parts reads a response part by part, cut at that place.
func parts(r *Reader, b []byte, cut int) (got [Trailer + 1]string, taken int, err error) {
	var m Memo
	for _, end := range []int{cut, len(b)} {
		for taken < end && !r.Done() && err == nil {
			var n int
			var part Part
			n, part, err = r.ReadPart(&m, b[taken:end])
			got[part] += string(b[taken : taken+n])
			taken += n
			if n == 0 {
				break
			}
		}
	}
	return got, taken, err
}

func TestReadPart(t *testing.T) {
	f := func(response, head, body, trailer string) {
		t.Helper()
		for cut := range len(response) {
			var r Reader
			got, taken, err := parts(&r, []byte(response+"next"), cut)
			if err != nil || !r.Done() && !r.UntilClose() {
				t.Errorf("%q cut at %d: done %v, %v", response, cut, r.Done(), err)
			}
			if !r.UntilClose() && taken != len(response) {
				t.Errorf("%q cut at %d: took %d bytes", response, cut, taken)
			}
			if got[Head] != head || got[Body] != body || got[Trailer] != trailer {
				t.Errorf("%q cut at %d: parts are %q", response, cut, got)
			}
		}
	}
	const length = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
	const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	f(length+"hello", length, "hello", "")
	f("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "", "")
	f("HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n", "", "")
	f("HTTP/1.1 100 Continue\r\n\r\n"+length+"hello", "HTTP/1.1 100 Continue\r\n\r\n"+length, "hello", "")
	f("HTTP/1.1 200 OK\r\n\r\nhello", "HTTP/1.1 200 OK\r\n\r\n", "hellonext", "")
	f(chunked+"5;x=y\r\nhello\r\n1 \r\n!\r\n0\r\n\r\n", chunked, "hello!", "\r\n")
	f(chunked+"5\nhello\n0\ngrpc-status: 0\r\nX: y\n\r\n", chunked, "hello", "grpc-status: 0\r\nX: y\n\r\n")
	f(chunked+"0\r\n\r\n", chunked, "", "\r\n")
}

// FuzzReadPart checks that ReadPart takes what Read takes, and that the body is
// that which net/http reads.
func FuzzReadPart(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte, head bool, cut, _ uint) {
		var want, r Reader
		want.Start(head)
		r.Start(head)
		n, wantErr := want.Read(b)
		got, taken, err := parts(&r, b, int(cut%uint(len(b)+1)))
		if err != wantErr || r.Done() != want.Done() || r.Code() != want.Code() || err == nil && (taken != n || r != want) {
			t.Fatalf("%q: took %d, %v, %+v; Read took %d, %v, %+v", b, taken, err, r, n, wantErr, want)
		}
		if !r.Done() && !r.UntilClose() || r.Code() == 101 || !strings.HasPrefix(got[Head], "HTTP/1.1 2") {
			return
		}
		req := &http.Request{Method: "GET"}
		if head {
			req.Method = "HEAD"
		}
		resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(b)), req)
		if err != nil {
			return
		}
		if body, err := io.ReadAll(resp.Body); err == nil && string(body) != got[Body] {
			t.Errorf("%q: body is %q, net/http reads %q", b, got[Body], body)
		}
	})
}

func BenchmarkReadPart(b *testing.B) {
	response := []byte("HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: application/json\r\nContent-Length: 2000\r\n\r\n" + strings.Repeat("x", 2000))
	var m Memo
	b.SetBytes(int64(len(response)))
	b.ReportAllocs()
	for b.Loop() {
		var r Reader
		for taken := 0; !r.Done(); {
			n, _, _ := r.ReadPart(&m, response[taken:])
			taken += n
		}
	}
}
