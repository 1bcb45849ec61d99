package engine

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/panjf2000/gnet/v2"

	"github.com/mirrorgate/mirrorgate/codec"
)

// written returns the lines of a with the bucket of all ACKs up to each bound,
// as far as it differs from the one before.
func (a *ackTime) written() string {
	var b bytes.Buffer
	a.write(&b)
	var steps []string
	last := "0"
	for line := range strings.Lines(b.String()) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		name = strings.TrimPrefix(name, ackTimeName)
		if name == "#" || strings.HasPrefix(name, "_bucket") && value == last {
			continue
		}
		last = value
		steps = append(steps, strings.TrimPrefix(name, "_bucket")+" "+value)
	}
	return strings.Join(steps, ", ")
}

func TestAckTime(t *testing.T) {
	type ack struct {
		d time.Duration
		n int
	}
	f := func(want string, acks ...ack) {
		t.Helper()
		var a ackTime
		for _, ack := range acks {
			a.add(ack.d, ack.n)
		}
		if got := a.written(); got != want {
			t.Errorf("after %v it says %s, want %s", acks, got, want)
		}
	}
	f("_sum 0, _count 0")
	f(`{le="5e-06"} 1, _sum 1e-09, _count 1`, ack{1, 1})
	f(`{le="5e-06"} 20, _sum 0.0001, _count 20`, ack{5 * time.Microsecond, 20})
	f(`{le="1e-05"} 1, _sum 5.001e-06, _count 1`, ack{5001, 1})
	f(`{le="0.0001"} 3, {le="1"} 4, _sum 1.0003, _count 4`, ack{time.Second, 1}, ack{100 * time.Microsecond, 3})
	f(`{le="+Inf"} 2, _sum 3, _count 2`, ack{1500 * time.Millisecond, 2})
}

// slowMirror takes longer than the ACKs.
type slowMirror struct{}

func (slowMirror) Submit([]codec.Request) { time.Sleep(time.Second) }

// The clock runs until the ACKs are written: the fan-out comes after it. What
// is said besides ACKs is not counted.
func TestAckTimeOfAWakeUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, sock := fakeServer(t)
		s.cfg.Mirror = slowMirror{}
		sock.onWrite = func() { time.Sleep(3 * time.Millisecond) }
		f := func(in []byte, want string) {
			t.Helper()
			if action := sock.wakeUp(in); action != gnet.None {
				t.Fatalf("the action is %v", action)
			}
			if got := s.counters.acks.written(); got != want {
				t.Errorf("it says %s, want %s", got, want)
			}
		}
		f(greeting(), "_sum 0, _count 0")
		f(join(notify(1, get("/")), notify(2, get("/"))), `{le="0.005"} 2, _sum 0.006, _count 2`)
		f(frame(codec.FrameNotify, 0, 3, 1, get("/")), `{le="0.005"} 2, _sum 0.006, _count 2`)
		f(frame(codec.FrameUnset, fin, 3, 1), `{le="0.005"} 3, _sum 0.009, _count 3`)
	})
}
