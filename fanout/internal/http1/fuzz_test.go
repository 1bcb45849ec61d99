package http1

import "testing"

// seed adds a response of each kind, and what is none.
func seed(f *testing.F) {
	f.Helper()
	for _, text := range []string{
		"HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n",
		"HTTP/1.1 304 Not Modified\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\nContent-Length: 3\r\n\r\n",
		"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.0 404 Not Found\r\nconnection: close, x\r\n\r\nbody",
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n\x00",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\nX: a\r\n folded\r\n\r\n5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n",
		"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\nContent-Length: 3\n\n1\nx\n0\n\n",
		"HTTP/1.0 200 OK\r\nTransfer-Encoding : chunked\r\n\r\n",
		"HTTP/1.1 099 \r\n\r\n",
	} {
		f.Add([]byte(text), false, uint(3), uint(40))
		f.Add([]byte(text), true, uint(17), uint(18))
	}
}

// FuzzReader checks that it makes no difference where a response is cut, and
// that never more is taken than there is.
func FuzzReader(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte, head bool, i, j uint) {
		var r Reader
		r.Start(head)
		n, err := r.Read(b)
		if n < 0 || n > len(b) {
			t.Fatalf("took %d of %d bytes", n, len(b))
		}
		if !r.Done() && err == nil && r.state > atField && n < len(b) {
			t.Fatalf("left %d bytes of a body", len(b)-n)
		}
		want := r.result(n, err)
		if again, err2 := r.Read(b[n:]); again != 0 || err2 != err {
			t.Fatalf("took %d bytes more, %v, when asked again", again, err2)
		}
		first, second := int(i%uint(len(b)+1)), int(j%uint(len(b)+1))
		got := read(string(b), head, min(first, second), max(first, second))
		if err != nil { // how much was taken before depends on the cuts
			got.taken = want.taken
		}
		if got != want {
			t.Errorf("%q cut at %d and %d: %+v, want %+v", b, first, second, got, want)
		}
	})
}
