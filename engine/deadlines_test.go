package engine

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/mirrorgate/mirrorgate/codec"
)

// The clock of a frame runs from its first byte, and of a fragmented NOTIFY
// from its first fragment, however busy the connection is.
func TestDeadlines(t *testing.T) {
	const (
		handshake = 3 * time.Second
		unit      = 5 * time.Second
		never     = time.Duration(0)
	)
	synctest.Test(t, func(t *testing.T) {
		s := &Server{started: time.Now()}
		s.registry.init(&s.policy.memory)
		s.cfg.FrameTimeout = unit
		s.policy.maxFrameSize = 1 << 20
		c := new(conn)
		c.session = newSession(&s.policy, s.registry.add(c, s.clock()))
		c.deadline.Store(int64(handshake))
		var now time.Duration
		f := func(in []byte, want time.Duration) { // one second after the step before
			t.Helper()
			time.Sleep(time.Second)
			now += time.Second
			w := new(wake)
			c.session.feed(in, w)
			s.track(c, w)
			if want != never {
				want++ // the server's clock starts at 1 ns
			}
			if want == handshake+1 {
				want = handshake
			}
			if got := time.Duration(c.deadline.Load()); got != want {
				t.Errorf("at %s the deadline is %s, want %s", now, got, want)
			}
			if late, _ := s.registry.deadlines(now); len(late) > 0 {
				t.Errorf("at %s the connection is overdue", now)
			}
		}
		hello, one := greeting(), notify(1, get("/"))
		f(hello[:10], handshake)
		f(hello[10:], never)
		f(one[:5], 3*time.Second+unit)
		f(one[5:20], 3*time.Second+unit)
		f(join(one[20:], one[:5]), 5*time.Second+unit) // another frame
		f(join(one[5:], one), never)
		f(frame(codec.FrameNotify, 0, 1, 1), 7*time.Second+unit)
		f(frame(codec.FrameUnset, 0, 1, 1), 7*time.Second+unit)
		f(frame(codec.FrameUnset, 0, 1, 1)[:9], 7*time.Second+unit)
		f(join(frame(codec.FrameUnset, 0, 1, 1)[9:], frame(codec.FrameUnset, fin, 1, 1)), never)
		if s.registry.oldestClosable(time.Hour) != nil {
			t.Error("a connection that shook hands may be closed to make room")
		}
		f(one[:5], 11*time.Second+unit)
		if late, _ := s.registry.deadlines(11*time.Second + unit + 1); len(late) != 1 {
			t.Errorf("%d connections are overdue in the end, want 1", len(late))
		}
	})
}

// The clock of replies runs from when they were first left unread, and that of a
// frame from its first byte, whatever else was finished meanwhile.
func TestDeadlineOfWhatIsOldest(t *testing.T) {
	type look struct {
		closed bool
		why    refusal
	}
	f := func(name string, want look, wait time.Duration, run func(sock *fakeSock)) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			s, c, sock := fakeServer(t)
			s.cfg.FrameTimeout = 5 * time.Second
			sock.wakeUp(greeting())
			run(sock)
			time.Sleep(wait)
			s.expire(c, s.clock())
			got := look{closed: sock.closed}
			for why := range refusals {
				if s.counters.refused[why].Get() > 0 {
					got.why = why
				}
			}
			if got != want {
				t.Errorf("%s: got %+v, want %+v", name, got, want)
			}
		})
	}
	one := notify(1, get("/"))
	open, backlog, frame := look{}, look{true, refusedBacklog}, look{true, refusedFrame}
	// Each step one second after the one before; with unread bytes in the end.
	steps := func(unread int, reads ...[]byte) func(*fakeSock) {
		return func(sock *fakeSock) {
			for _, in := range reads {
				time.Sleep(time.Second)
				sock.onWrite = func() { sock.unread = unread }
				sock.wakeUp(in)
			}
		}
	}
	f("nothing is unfinished", open, time.Hour, steps(0, one, one))
	f("half a frame", open, 5*time.Second-1, steps(0, one[:9]))
	f("half a frame, late", frame, 5*time.Second, steps(0, one[:9]))
	f("each frame has its own time", open, 3*time.Second, steps(0, one[:9], join(one[9:], one[:9]), join(one[9:], one[:9])))
	f("replies are not read", open, 2*time.Second-1, steps(1, one, one, one, one))
	f("replies are not read, late", backlog, 2*time.Second, steps(1, one, one, one, one))
	f("nor is a frame finished", backlog, 2*time.Second, steps(1, one, one, one, join(one, one[:9])))
	f("replies are read in the end", open, time.Hour, func(sock *fakeSock) {
		steps(1, one, one)(sock)
		sock.unread = 0
	})
	f("replies are read, but a frame is not finished", open, 3*time.Second, func(sock *fakeSock) {
		steps(1, one, one, join(one, one[:9]))(sock)
		sock.unread = 0
	})
	f("the time of replies starts anew once they were read", open, 4*time.Second, func(sock *fakeSock) {
		steps(1, one, one, one)(sock)
		sock.unread = 0
		steps(1, one)(sock)
	})
}

// The sweeper ticks only while there is something to tick for.
func TestSweeperRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, sock := fakeServer(t)
		s.stop = make(chan struct{})
		s.background.Add(1)
		go s.sweep()
		ticks := func(want bool) {
			t.Helper()
			spare := &s.policy.memory.spare
			spare.put(spare.get(smallestSpare))
			time.Sleep(10 * tickEvery)
			spare.mu.Lock()
			defer spare.mu.Unlock()
			if got := spare.bytes == 0; got != want {
				t.Errorf("it ticks: %v, want %v", got, want)
			}
		}
		sock.wakeUp(greeting())
		time.Sleep(2 * tickEvery) // for the handshake
		ticks(false)
		s.cfg.FrameTimeout = time.Hour
		sock.wakeUp(notify(1, get("/"))[:9])
		ticks(true)
		ticks(true)
		sock.wakeUp(notify(1, get("/"))[9:])
		time.Sleep(2 * tickEvery)
		ticks(false)
		close(s.stop)
		s.background.Wait()
	})
}
