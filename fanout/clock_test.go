package fanout

import (
	"sync/atomic"
	"testing"
	"time"
	"unsafe"
)

// stepped is a time as it is read after the wall clock was stepped: the seconds
// of the wall have jumped, the monotonic clock has not. Its wall time has 33 bits
// of seconds above 30 of nanoseconds.
func stepped(t time.Time, step time.Duration) time.Time {
	wall := (*uint64)(unsafe.Pointer(&t))
	*wall += uint64(step/time.Second) << 30
	return t
}

// leapingClock is the real time, and later after each leap.
type leapingClock struct{ ahead atomic.Int64 }

func (c *leapingClock) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

func (c *leapingClock) leap(d time.Duration) { c.ahead.Add(int64(d)) }

// Ages, time limits and rates follow the monotonic clock: a step of the wall
// clock neither drops what waits nor lets through what should not.
func TestClockStep(t *testing.T) {
	for _, step := range []time.Duration{time.Hour, -time.Hour} {
		rt := listen(t, func(c *rawConn) { c.serve(ok) })
		var stepping atomic.Bool
		clock := func() time.Time {
			if stepping.Load() {
				return stepped(time.Now(), step)
			}
			return time.Now()
		}
		f := newFanout(t, func(c *Config) { c.clock = clock }, rt.url+",conns=1,max-age=60s,timeout=60s", nobody+",rate=0.001/s")
		for _, tg := range f.targets {
			tg.hold()
		}
		f.Submit(requests("GET /1", "GET /2"))
		before := f.now()
		stepping.Store(true)
		if wall := clock().Round(0).Sub(time.Now().Round(0)); wall.Abs() < 59*time.Minute {
			t.Fatalf("the wall clock was stepped by %v", wall)
		}
		if age := f.now() - before; age < 0 || age > int64(30*time.Second) {
			t.Errorf("a step of %v made %v pass", step, time.Duration(age))
		}
		f.Submit(requests("GET /3"))
		for _, tg := range f.targets {
			tg.letGo()
		}
		drain(t, f)
		if got := counts(f.targets[0]); got != "selected=3 sent=3 2xx=3" {
			t.Errorf("after a step of %v: %s", step, got)
		}
		if n := f.targets[1].metrics.dropped[dropRate].Get(); n != 2 {
			t.Errorf("after a step of %v: %d of 3 over the rate", step, n)
		}
	}
}
