package fanout

import (
	"bytes"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mirrorgate/mirrorgate/codec"
	"github.com/mirrorgate/mirrorgate/fanout/internal/http1"
)

// jsonTarget responds to each request with 2 kB of JSON, and to every nth with
// another value in it; 0: to none.
func jsonTarget(b *testing.B, nth int) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { ln.Close() })
	items := strings.Repeat(`{"id":4711,"name":"lamp","price":19.99,"tags":["a","b"]},`, 35)
	usual, other := []byte(jsonResponse(`{"items":[`+items+`null]}`)), []byte(jsonResponse(`{"items":[`+items+`true]}`))
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				buf := make([]byte, 64<<10)
				kept := 0
				for count := 0; ; {
					n, err := conn.Read(buf[kept:])
					if err != nil {
						return
					}
					kept += n
					for {
						i := bytes.Index(buf[:kept], []byte("\r\n\r\n"))
						if i < 0 {
							break
						}
						response := usual
						if count++; nth > 0 && count%nth == 0 {
							response = other
						}
						if _, err := conn.Write(response); err != nil {
							return
						}
						kept = copy(buf, buf[i+4:kept])
					}
				}
			}()
		}
	}()
	return "http://" + ln.Addr().String()
}

// cpuTime is what the process has used so far: unlike the time that passes, it tells
// something on a busy machine.
func cpuTime(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkCompared is the way of a request to two targets and back, the targets
// included: without a comparison, with equal responses, and with 1 % that differ.
func BenchmarkCompared(b *testing.B) {
	run := func(name, against string, nth int) {
		b.Run(name, func(b *testing.B) {
			f := newFanout(b, func(c *Config) { c.Compare = DefaultCompare() }, "v1="+jsonTarget(b, 0), "v2="+jsonTarget(b, nth)+against)
			reqs := make([]codec.Request, 20)
			for i := range reqs {
				reqs[i] = browserRequest()
			}
			b.ReportAllocs()
			before := cpuTime(b)
			n := 0
			for b.Loop() {
				if n++; n%len(reqs) == 0 {
					for f.targets[0].length.Load()+f.targets[1].length.Load() > 64 {
						time.Sleep(100 * time.Microsecond)
					}
					f.Submit(reqs)
				}
			}
			drain(b, f)
			b.ReportMetric(float64(cpuTime(b)-before)/float64(n), "cpu-ns/op")
			if against != "" {
				checkPairs(b, f, "v2", f.targets[0].metrics.selected.Get())
			}
		})
	}
	run("uncompared", "", 0)
	run("equal", ",against=v1", 0)
	run("1 % differ", ",against=v1", 100)
}

// BenchmarkPair is what comparing adds to a request whose two responses of 2 kB are
// equal, without their way over the network.
func BenchmarkPair(b *testing.B) {
	f := newFanout(b, func(c *Config) { c.Compare = DefaultCompare() }, "v1="+nobody, "v2="+nobody+",against=v1")
	defer drain(b, f)
	response := []byte(jsonResponse(`{"items":[` + strings.Repeat(`{"id":4711,"name":"lamp","price":19.99,"tags":["a","b"]},`, 35) + `null]}`))
	scratch := newBatch(f)
	scratch.follow(f.plan.Load())
	l := scratch.plan.links
	c := &comparing{common: f.common}
	r := browserRequest()
	f.prepare(&scratch.prepared, &r)
	var memo http1.Memo
	b.SetBytes(int64(2 * len(response)))
	b.ReportAllocs()
	for b.Loop() {
		for i := range scratch.sides {
			scratch.sides[i].selected(dropNone)
		}
		p := scratch.pair(&scratch.prepared)
		pl := scratch.serialise(scratch.plan.variants[0].rules, &scratch.prepared, 0)
		pl.pair = p
		f.memory.payloads.Add(pl.cost())
		e := entry{payload: pl}
		for i, t := range l.sides {
			p.join(&e, t)
			conn := conn{exchange: exchange{batch: []entry{e}}}
			conn.begin(0)
			if _, err := conn.readResponse(&memo, response); err != nil {
				b.Fatal(err)
			}
			k := &conn.keeping
			k.status(200, int64(i))
			k.kept.complete = true
			p.sides[i] = side{fate: responded, response: k.kept}
		}
		c.conclude(p)
	}
}
