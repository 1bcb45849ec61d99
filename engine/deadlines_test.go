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
		s := &Server{started: time.Now(), registry: registry{conns: make(map[*conn]struct{})}}
		s.cfg.FrameTimeout = unit
		c := &conn{session: newSession(&policy{maxFrameSize: 1 << 20})}
		s.registry.add(c, s.clock())
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
			if late := len(s.registry.overdue(now)) > 0; late {
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
		if s.registry.takeSpare(time.Hour) != nil {
			t.Error("a connection that shook hands may be closed to make room")
		}
		f(one[:5], 11*time.Second+unit)
		if late := s.registry.overdue(11*time.Second + unit + 1); len(late) != 1 {
			t.Errorf("%d connections are overdue in the end, want 1", len(late))
		}
	})
}
