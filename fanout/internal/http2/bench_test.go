package http2

import "testing"

// exchange returns a function that sends 64 requests and reads the responses to
// them, and how many bytes both have.
func exchange(t testing.TB) (run func(), size int) {
	c := NewConn(64)
	p := newPeer()
	p.WriteSettings()
	if _, err := readAll(c, p.out.Bytes()); err != nil {
		t.Fatal(err)
	}
	lines := []byte("host: example.org\r\nuser-agent: Mozilla/5.0 (X11; Linux x86_64)\r\naccept: */*\r\n" +
		"cookie: session=0123456789abcdef0123456789abcdef\r\nx-forwarded-for: 192.0.2.1\r\nX-Mirrored-By: mirrorgate\r\n")
	r := &Request{Method: []byte("GET"), Path: []byte("/some/path?with=query"), Authority: []byte("example.org"), Lines: [2][]byte{lines}}
	dst := make([]byte, 0, 64<<10)
	in := make([]byte, 0, 64<<10)
	block := p.block(":status: 200", "content-length: 2", "date: Mon, 01 Jan 2024 00:00:00 GMT", "server: x")
	run = func() {
		dst, in = dst[:0], in[:0]
		for range 64 {
			var slot int
			dst, slot = c.AppendRequest(dst, r)
			id := c.streams[slot].id
			in = appendHeader(in, len(block), frameHeaders, flagEndHeaders, id)
			in = append(in, block...)
			in = append(appendHeader(in, 2, frameData, flagEndStream, id), "ok"...)
		}
		ended := 0
		for b := in; ; {
			n, ev, err := c.Read(b)
			if err != nil {
				panic(err)
			}
			if ev.Slot < 0 {
				break
			}
			if b = b[n:]; ev.End == StreamDone {
				ended++
			}
		}
		if ended != 64 {
			panic("not all responses came")
		}
	}
	run()
	return run, len(dst) + len(in)
}

func TestExchangeAllocatesNothing(t *testing.T) {
	run, _ := exchange(t)
	if n := testing.AllocsPerRun(100, run); n != 0 {
		t.Errorf("%v allocations for 64 requests", n)
	}
}

// BenchmarkExchange is one request and its response, of 64 in flight.
func BenchmarkExchange(b *testing.B) {
	run, size := exchange(b)
	b.SetBytes(int64(size / 64))
	b.ReportAllocs()
	for i := 0; i < b.N; i += 64 {
		run()
	}
}
