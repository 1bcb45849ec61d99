package engine

import (
	"bytes"
	"slices"
	"testing"

	"github.com/mirrorgate/mirrorgate/codec"
)

// burst is what 20 pipelined requests of a browser look like in one read: a
// HAProxy has no more of them in flight on a connection.
func burst() []byte {
	var h []byte
	for _, kv := range [][2]string{
		{"host", "shop.example.com"},
		{"user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"},
		{"accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"},
		{"accept-encoding", "gzip, deflate, br"},
		{"cookie", "session=0123456789abcdef; theme=dark"},
	} {
		h = codec.AppendHeader(h, kv[0], kv[1])
	}
	one := codec.AppendNotify(nil, 1, 1, codec.Request{
		Method: []byte("GET"), Target: []byte("/catalogue/items?page=2&sort=price"), Version: []byte("1.1"),
		Headers: codec.Headers{Raw: codec.AppendHeadersEnd(h)}, BodySize: -1,
	})
	return bytes.Repeat(one, 20)
}

// largeNotify is one with a body of 256 KiB.
func largeNotify() []byte {
	return codec.AppendNotify(nil, 1, 1, codec.Request{
		Method: []byte("POST"), Target: []byte("/upload"), Version: []byte("1.1"), Body: make([]byte, 256<<10), BodySize: -1,
	})
}

func readySession(t testing.TB) *session {
	p := &policy{maxFrameSize: 1 << 20}
	p.memory.limit = 1 << 30
	s := newSession(p, &host{budget: &p.memory})
	w := acquireWake()
	defer releaseWake(w)
	s.feed(announcing(1<<20), w)
	if s.state != stateReady {
		t.Fatal("the handshake failed")
	}
	return &s
}

func TestFeedAllocatesNothing(t *testing.T) {
	f := func(name string, reads ...[]byte) {
		t.Helper()
		s, w := readySession(t), new(wake)
		n := testing.AllocsPerRun(1000, func() {
			for _, b := range reads {
				s.feed(b, w)
				w.decode()
				if s.state != stateReady {
					t.Fatal("the session ended")
				}
				w.reset()
			}
		})
		if n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	all := burst()
	f("whole frames", all)
	f("a frame in two reads", all[:len(all)-100], all[len(all)-100:])
	f("a fragmented NOTIFY", frame(codec.FrameNotify, 0, 1, 1, get("/")), frame(codec.FrameUnset, fin, 1, 1))
	f("a large NOTIFY", slices.Collect(slices.Chunk(largeNotify(), 64<<10))...)
	f("errors in the payload", notify(1, []byte{200}), notify(2, message("other", 0)))
}

func BenchmarkFeed(b *testing.B) {
	f := func(name string, reads ...[]byte) {
		b.Run(name, func(b *testing.B) {
			s, w := readySession(b), new(wake)
			b.SetBytes(int64(len(bytes.Join(reads, nil))))
			b.ReportAllocs()
			for b.Loop() {
				for _, in := range reads {
					s.feed(in, w)
					w.decode()
					w.reset()
				}
			}
		})
	}
	all := burst()
	f("20 NOTIFYs", all)
	f("20 NOTIFYs in two reads", all[:len(all)/2+50], all[len(all)/2+50:])
	f("a large NOTIFY", slices.Collect(slices.Chunk(largeNotify(), 64<<10))...)
}
