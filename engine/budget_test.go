package engine

import (
	"bytes"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/panjf2000/gnet/v2/pkg/buffer/elastic"

	"github.com/mirrorgate/mirrorgate/codec"
)

// A frame for which there is no memory is acknowledged, counted and forgotten;
// the next one is as good as ever.
func TestNoMemory(t *testing.T) {
	const size = 1 << 20
	body := strings.Repeat("x", 40_000)
	large := mirror(arg("arg_method", str("POST")), arg("arg_path", str("/")), arg("arg_body", bin(body)))
	const mirrored = "POST /  [] <40000 bytes>"
	f := func(name string, budget int64, in []byte, replies string, requests ...string) {
		t.Helper()
		for _, piece := range []int{len(in), 30_000, 20_000, 1000, 7, 1} {
			p := newPlayer(size)
			p.session.policy.memory.limit = budget
			p.feed(announcing(size))
			for b := range slices.Chunk(in, piece) {
				p.feed(b)
			}
			wantReplies, wantRequests := replies, requests
			if piece == len(in) && !bytes.Contains(in, []byte("fragment")) {
				// Whole frames are read where they lie, and need no memory.
				wantReplies, wantRequests = p.asWhole(in)
			}
			if got := readable(p.replies); got != "hello:1048576 "+wantReplies || !slices.Equal(p.requests, wantRequests) {
				t.Errorf("%s, %d bytes at a time: the agent replies %q and submits %q, want %q and %q",
					name, piece, got, p.requests, wantReplies, wantRequests)
			}
			p.close()
			if held := p.session.policy.memory.held.Load(); held != 0 || p.session.partial != nil || p.session.unfinished() {
				t.Errorf("%s, %d bytes at a time: %d bytes are left", name, piece, held)
			}
		}
	}
	next := notify(2, get("/next"))
	const nextRequest = "GET /next  [] "
	f("enough", 128<<10, join(notify(1, large), next), "ack:1:1 ack:2:1", mirrored, nextRequest)
	f("too little", 128<<10-1, join(notify(1, large), next), "ack:1:1 ack:2:1", "reject oversize", nextRequest)
	f("nothing", 0, join(notify(1, large), next), "ack:1:1 ack:2:1", "reject oversize", nextRequest)
	f("given up by HAProxy", 0, join(frame(codec.FrameNotify, fin|abort, 1, 1, large), next), "ack:1:1 ack:2:1", "reject aborted", nextRequest)
	f("unknown", 0, join(frame(77, fin, 0, 0, large), next), "ack:2:1", nextRequest)
	f("a HELLO", 0, join(frame(codec.FrameHAProxyHello, fin, 0, 0, large), next), "disc:4")
	f("the end", 0, join(frame(codec.FrameHAProxyDisconnect, fin, 0, 0, large), next), "disc:0")
	f("no head", 0, join([]byte{0, 0, 0x80, 0, 3, 0, 0, 0, 1}, bytes.Repeat([]byte{0xff}, 0x8000)), "disc:4")

	fragmented := func(mid codec.Flags) []byte {
		return join(frame(codec.FrameNotify, 0, 1, 1, []byte("\x08fragment\x00")), frame(codec.FrameUnset, 0, 1, 1, large[:10_000]),
			frame(codec.FrameUnset, mid, 1, 1, large[10_000:]), frame(codec.FrameUnset, fin, 1, 1), next)
	}
	f("fragments, enough", 192<<10, fragmented(0), "ack:1:1 ack:2:1", mirrored, nextRequest)
	f("fragments", 0, fragmented(0), "abort:1:1 ack:2:1", "reject oversize", nextRequest)
	f("the last fragment", 0, fragmented(fin), "abort:1:1 ack:2:1", "reject oversize", nextRequest)
	f("fragments given up", 0, fragmented(fin|abort), "ack:2:1", "reject aborted", nextRequest)
	f("a first fragment", 0, join(frame(codec.FrameNotify, 0, 1, 1, []byte("\x08fragment\x00"), large), frame(codec.FrameUnset, fin, 1, 1), next),
		"abort:1:1 ack:2:1", "reject oversize", nextRequest)
}

// asWhole is what a session with all the memory it wants makes of in.
func (p *player) asWhole(in []byte) (replies string, requests []string) {
	other := newPlayer(p.session.policy.maxFrameSize)
	other.feed(announcing(1 << 20))
	hello := len(other.replies)
	other.feed(in)
	return readable(other.replies[hello:]), other.requests
}

// Peers that stop in the middle of large frames share one budget, and have
// their ACKs once they go on.
func TestUnfinishedFramesAreBounded(t *testing.T) {
	const peers, size, budget, share = 40, 1 << 20, 16 << 20, 8 << 20
	s := serve(t, func(cfg *Config) { cfg.Memory = budget })
	whole := notify(1, mirror(arg("arg_method", str("POST")), arg("arg_path", str("/")), arg("arg_body", bin(strings.Repeat("x", size-1000)))))
	half := len(whole) / 2
	before := heap()
	var clients []*client
	for range peers {
		c := s.dial(t)
		c.send(announcing(size))
		c.expect("hello:1048576")
		c.send(whole[:half])
		clients = append(clients, c)
	}
	await(t, "all halves to be read", func() bool {
		read := 0
		for _, c := range s.registry.all() {
			done := make(chan int, 1)
			c.onLoop(func() { done <- c.session.pending(len(whole)) })
			read += <-done
		}
		return read == peers*half
	})
	if held := s.policy.memory.held.Load(); held > share || held < share/2 {
		t.Errorf("%d bytes are held, the share of one address is %d", held, share)
	}
	if grown := heap() - before; grown > 2*share {
		t.Errorf("the heap grew by %d MiB for frames of %d MiB", grown>>20, peers*half>>20)
	}
	for _, c := range clients {
		c.send(whole[half:])
		c.expect("ack:1:1")
	}
	await(t, "all requests", func() bool { return len(s.mirror.list()) == peers })
	if held := s.policy.memory.held.Load(); held != 0 {
		t.Errorf("%d bytes are held in the end", held)
	}
	lost := 0
	for _, r := range s.mirror.list() {
		if r == "reject oversize" {
			lost++
		}
	}
	if lost == 0 || lost == peers {
		t.Errorf("%d of %d requests found no memory", lost, peers)
	}
}

// pending is how much of a frame of size bytes has come.
func (s *session) pending(size int) int {
	switch {
	case s.discarding > 0:
		return size - s.discarding
	case s.partial != nil:
		return len(s.partial.b)
	}
	return 0
}

// Replies that are not read are counted, and have a deadline.
func TestUnreadReplies(t *testing.T) {
	const timeout = 5 * time.Second
	type look struct {
		unread  int
		tooSlow bool
		held    int64
		late    bool // the connection has a deadline
	}
	synctest.Test(t, func(t *testing.T) {
		s, c, sock := fakeServer(t)
		s.cfg.FrameTimeout = timeout
		s.policy.memory.limit = 400_000
		sock.wakeUp(greeting())
		f := func(want look) {
			t.Helper()
			sock.unread = want.unread
			tooSlow := s.reply(c, &wake{units: 1})
			if got := (look{sock.unread, tooSlow, s.policy.memory.held.Load(), c.deadline.Load() != 0}); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		}
		f(look{0, false, 0, false})
		f(look{500, false, 1000, true})
		f(look{300, false, 600, true})
		f(look{0, false, 0, false})
		f(look{100_000, false, 200_000, true})
		f(look{100_001, true, 200_000, true})
		s.policy.memory.limit = 1 << 20
		f(look{maxBacklog, false, 2 * maxBacklog, true})
		f(look{maxBacklog + 1, true, 2 * maxBacklog, true})

		expire := func(unread int, closed bool) {
			t.Helper()
			f(look{10, false, 20, true})
			sock.unread = unread
			time.Sleep(timeout - time.Nanosecond)
			s.expire(c, s.clock())
			if sock.closed {
				t.Error("the connection is closed too early")
			}
			time.Sleep(time.Nanosecond)
			s.expire(c, s.clock())
			if sock.closed != closed || s.policy.memory.held.Load() != int64(2*unread) {
				t.Errorf("with %d bytes unread: closed: %v, held: %d", unread, sock.closed, s.policy.memory.held.Load())
			}
		}
		expire(0, false)
		expire(5, true)
		if got := s.counters.refused[refusedBacklog].Get(); got != 3 {
			t.Errorf("%d replies were too many or too late, want 3", got)
		}
	})
}

// gnet's buffer for unread replies takes no more than is counted for it, however
// small they are.
func TestBacklogCost(t *testing.T) {
	const conns = 100
	ack := codec.AppendAck(nil, 1, 1)
	list := make([]*elastic.Buffer, conns)
	before := heap()
	for i := range list {
		b, err := elastic.New(backlogBuffer)
		if err != nil {
			t.Fatal(err)
		}
		for range maxBacklog / len(ack) {
			_, _ = b.Write(ack)
		}
		list[i] = b
	}
	if each := (heap() - before) / conns; each > backlogCost*maxBacklog+1024 {
		t.Errorf("%d bytes of replies take %d", maxBacklog, each)
	}
	runtime.KeepAlive(list)
}
