package fanout

import (
	"bytes"
	"fmt"
	"net"
	"runtime"
	"testing"

	"github.com/mirrorgate/mirrorgate/codec"
)

// cheapTarget answers each request with an empty 200, all that came in one read
// with one write. It knows a request by the empty line at its end.
func cheapTarget(b *testing.B) string {
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
	return "http://" + ln.Addr().String()
}

func answerAll(conn net.Conn) {
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
	for _, batch := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("batch=%d", batch), func(b *testing.B) {
			url := cheapTarget(b)
			f := newFanout(b, nil, fmt.Sprintf("%s,batch=%d", url, batch))
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
}
