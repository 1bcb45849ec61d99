package fanout

import (
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A response is timed by its arrival, however late its reader comes: between the
// moment before it was written and that at which the kernel was seen to have it.
func TestArrival(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	f := newFanout(t, nil, nobody)
	defer drain(t, f)
	s := dialSocket(t, ln)
	defer s.Close()
	peer, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	s.common = f.common
	c := &conn{t: f.targets[0], stream: s, socket: s}

	const rounds = 9
	right := 0
	for range rounds {
		c.clock = f.now()
		s.since = c.clock
		for f.now()-c.clock < 2*knownTime {
			time.Sleep(50 * time.Microsecond)
		}
		before := f.now()
		io.WriteString(peer, "x")
		eventually(t, "the byte to arrive", func() bool {
			n := 0
			s.raw.Control(func(fd uintptr) { n, err = unix.IoctlGetInt(int(fd), unix.TIOCINQ) })
			return n == 1
		})
		seen := f.now()
		const late = 20 * time.Millisecond
		for f.now()-seen < int64(late) {
			time.Sleep(time.Millisecond) // the reader is busy elsewhere
		}
		var b [10]byte
		if n, err := s.Read(b[:]); n != 1 {
			t.Fatal(n, err)
		}
		if at := c.arrival(); before-knownTime <= at && at <= seen+knownTime {
			right++
		} else {
			t.Logf("%v before it was written, %v after it was seen", time.Duration(before-at), time.Duration(at-seen))
		}
	}
	// The two clocks cannot be read at once: now and then this thread is stopped
	// between them.
	if right <= rounds/2 {
		t.Errorf("the time of %d arrivals of %d is known to %v", right, rounds, time.Duration(knownTime))
	}
}
