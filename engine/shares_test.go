package engine

import (
	"bytes"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mirrorgate/mirrorgate/codec"
)

// One address may reserve half of the budget, and all together no more than all.
func TestShares(t *testing.T) {
	b := &budget{limit: 100}
	hosts := []*host{{budget: b}, {budget: b}, {budget: b}}
	f := func(host, n int, want bool, held int64) {
		t.Helper()
		if got := hosts[host].reserve(n); got != want || b.held.Load() != held {
			t.Errorf("host %d reserves %d bytes: %v, %d held, want %v and %d", host, n, got, b.held.Load(), want, held)
		}
	}
	f(0, 50, true, 50)
	f(0, 1, false, 50)
	f(1, 51, false, 50)
	f(1, 40, true, 90)
	f(2, 11, false, 90)
	f(2, 10, true, 100)
	f(1, 0, true, 100)
	hosts[0].release(30)
	f(0, 31, false, 70)
	f(2, 30, true, 100)
	for i, want := range []int64{20, 40, 40} {
		if got := hosts[i].held.Load(); got != want {
			t.Errorf("host %d holds %d bytes, want %d", i, got, want)
		}
	}
}

// dialFrom connects from an address of this host that is not that of others.
func (s *served) dialFrom(t testing.TB, addr string) *client {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(addr)}}
	nc, err := d.Dial("tcp", s.Addrs()[0].String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(testTimeout))
	return &client{nc, t}
}

func (s *served) greetFrom(t testing.TB, addr string) *client {
	t.Helper()
	c := s.dialFrom(t, addr)
	c.send(announcing(1 << 20))
	c.expect("hello:1048576")
	return c
}

// Whatever one address leaves unfinished, the larger bodies of another are mirrored.
func TestOneAddressLeavesMemoryToOthers(t *testing.T) {
	const stuck, share = 60, 2 << 20
	s := serve(t, func(cfg *Config) { cfg.Memory = 2 * share })
	body := notify(1, mirror(arg("arg_method", str("POST")), arg("arg_path", str("/")), arg("arg_body", bin(strings.Repeat("x", 60_000)))))
	for range stuck {
		s.greetFrom(t, "127.0.0.2").send(body[:len(body)-1])
	}
	await(t, "the share to be taken", func() bool { return s.policy.memory.held.Load() > share-96<<10 })
	other := s.greetFrom(t, "127.0.0.1")
	for i := range 10 {
		other.send(body[:40_000])
		other.send(body[40_000:])
		other.expect("ack:1:1")
		await(t, "the request", func() bool { return len(s.mirror.list()) > i })
	}
	if got, want := s.mirror.list(), slices.Repeat([]string{"POST /  [] <60000 bytes>"}, 10); !slices.Equal(got, want) {
		t.Errorf("submitted %q, want %q", got, want)
	}
}

// A frame that is larger than we agreed on is never held, whatever it claims.
func TestLargeFrameIsNotHeld(t *testing.T) {
	const announced, read = 64 << 20, 64 << 10
	f := func(name string, flags codec.Flags, request string) {
		t.Helper()
		p := newPlayer(1 << 20)
		p.feed(announcing(announced))
		in := frame(codec.FrameNotify, flags, 1, 1, bytes.Repeat(get("/"), 1<<20))
		for part := range slices.Chunk(in, read) {
			if p.session.partial != nil || p.session.policy.memory.held.Load() != 0 || len(p.requests) > 0 {
				t.Fatalf("%s: something of it is held, or it ended early: %q", name, p.requests)
			}
			p.feed(part)
		}
		p.feed(notify(2, get("/")))
		if got, want := p.requests, []string{request, "GET /  [] "}; !slices.Equal(got, want) {
			t.Errorf("%s: submitted %q, want %q", name, got, want)
		}
	}
	f("whole", fin, "reject oversize")
	f("a fragment", 0, "reject oversize")
	f("given up", fin|abort, "reject aborted")
}

// However many fragmented NOTIFYs end in one read, they take no buffers but that
// of the one which began before.
func TestFragmentsOfOneRead(t *testing.T) {
	f := func(name string, before, one []byte, replies, request string) {
		t.Helper()
		p, w := newPlayer(1<<20), new(wake)
		p.feed(join(greeting(), before))
		n := (readSize - len(before)) / len(one)
		p.session.feed(bytes.Repeat(one, n), w)
		if len(w.held) > 1 {
			t.Errorf("%s: %d buffers are held", name, len(w.held))
		}
		p.collect(w)
		if got, want := readable(p.replies), "hello:16380"+strings.Repeat(replies, n); got != want {
			t.Errorf("%s: the agent replies %.100q, want %.100q", name, got, want)
		}
		if got, want := p.requests, slices.Repeat([]string{request}, n); !slices.Equal(got, want) {
			t.Errorf("%s: submitted %d requests, of which the first is %.100q, want %d like %q", name, len(got), got, n, request)
		}
	}
	begun := func(payload ...[]byte) []byte { return frame(codec.FrameNotify, 0, 1, 1, payload...) }
	end := frame(codec.FrameUnset, fin, 1, 1)
	f("small ones", nil, join(begun(get("/")), end), " ack:1:1", "GET /  [] ")
	f("one began before", begun(get("/")), join(end, begun(get("/"))), " ack:1:1", "GET /  [] ")
	large := mirror(arg("arg_method", str("POST")), arg("arg_path", str("/")), arg("arg_body", bin(strings.Repeat("x", 10_000))))
	f("larger ones", begun(large), join(end, begun(large)), " ack:1:1", "POST /  [] <10000 bytes>")
	f("given up", nil, join(begun(get("/")), frame(codec.FrameUnset, fin|abort, 1, 1)), "", "reject aborted")
	f("malformed", nil, join(begun([]byte{200}), end), " ack:1:1", "reject malformed")
}
