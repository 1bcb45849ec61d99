package fanout

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"runtime"
	"testing"

	"github.com/mirrorgate/mirrorgate/codec"
)

// cheapTarget answers each request with an empty 200, all that came in one read
// with one write. It knows a request by the empty line at its end.
func cheapTarget(b *testing.B, answerAll func(net.Conn)) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go answerAll(conn)
		}
	}()
	return ln.Addr().String()
}

func answerHTTP1(conn net.Conn) {
	defer conn.Close()
	buf := make([]byte, 64<<10)
	var out []byte
	kept := 0
	for {
		n, err := conn.Read(buf[kept:])
		if err != nil {
			return
		}
		in := buf[:kept+n]
		out = out[:0]
		for {
			i := bytes.Index(in, []byte("\r\n\r\n"))
			if i < 0 {
				break
			}
			out = append(out, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"...)
			in = in[i+4:]
		}
		kept = copy(buf, in)
		if _, err := conn.Write(out); err != nil {
			return
		}
	}
}

// BenchmarkWorkers is the way from Submit to the counted response, for reads of 20
// requests, the target included.
func BenchmarkWorkers(b *testing.B) {
	f := func(scheme string, batch int, answer func(net.Conn)) {
		b.Run(fmt.Sprintf("%s/batch=%d", scheme, batch), func(b *testing.B) {
			f := newFanout(b, nil, fmt.Sprintf("%s://%s,batch=%d", scheme, cheapTarget(b, answer), batch))
			reqs := make([]codec.Request, 20)
			for i := range reqs {
				reqs[i] = browserRequest()
			}
			tg := f.targets[0]
			b.SetBytes(int64(len(reqs[0].Headers.Raw)))
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				if n++; n%len(reqs) == 0 {
					for tg.length.Load() > 512 {
						runtime.Gosched()
					}
					f.Submit(reqs)
				}
			}
			drain(b, f)
			b.ReportMetric(float64(tg.metrics.responses[1].Get())/float64(n), "answered/op")
		})
	}
	f("http", 1, answerHTTP1)
	f("http", 16, answerHTTP1)
	f("http", 64, answerHTTP1)
	f("h2c", 64, answerHTTP2)
}

// answerHTTP2 is answerHTTP1 for HTTP/2. It knows a request by END_STREAM in HEADERS.
func answerHTTP2(conn net.Conn) {
	defer conn.Close()
	buf := make([]byte, 64<<10)
	out := []byte("\x00\x00\x00\x04\x00\x00\x00\x00\x00") // SETTINGS
	if _, err := io.ReadFull(conn, buf[:24]); err != nil {
		return
	}
	kept := 0
	for {
		n, err := conn.Read(buf[kept:])
		if err != nil {
			return
		}
		in := buf[:kept+n]
		for len(in) >= 9 {
			size := 9 + int(in[1])<<8 + int(in[2])
			if len(in) < size {
				break
			}
			if in[3] == 1 {
				out = append(out, "\x00\x00\x05\x01\x05"...)
				out = append(out, in[5:9]...)
				out = append(out, "\x88\x0f\x0d\x010"...) // 200, Content-Length: 0
			}
			in = in[size:]
		}
		kept = copy(buf, in)
		if _, err := conn.Write(out); err != nil {
			return
		}
		out = out[:0]
	}
}
