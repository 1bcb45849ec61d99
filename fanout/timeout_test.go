package fanout

import (
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// slack is how much later a time limit of a second may be.
const slack = time.Second / 64

// The clock of an answer starts at the answer before it. Here time is the
// bubble's, so the seconds are exact and cost nothing.
func TestTimeoutOfEachAnswer(t *testing.T) {
	f := func(pauses []time.Duration, wantCounts string, wantTime time.Duration) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			t.Helper()
			fan := newFanout(t, nil, nobody+",conns=1,batch=4,timeout=1s")
			tg := fan.targets[0]
			tg.hold()
			fan.Submit(requests("GET /1", "POST /2", "GET /3", "POST /4"))
			ours, theirs := net.Pipe()
			var playing sync.WaitGroup
			playing.Go(func() { io.Copy(io.Discard, theirs) })
			playing.Go(func() {
				for _, pause := range pauses {
					time.Sleep(pause)
					io.WriteString(theirs, ok)
				}
			})
			l := newLane(tg)
			l.stream = ours
			l.take()
			start := time.Now()
			l.exchange()
			if took := time.Since(start); took < wantTime || took > wantTime+slack {
				t.Errorf("answers after %v: took %v, want %v", pauses, took, wantTime)
			}
			ours.Close()
			theirs.Close()
			playing.Wait()
			if got := counts(tg); got != wantCounts {
				t.Errorf("answers after %v: %s, want %s", pauses, got, wantCounts)
			}
			drain(t, fan)
		})
	}
	const ms = time.Millisecond
	f([]time.Duration{0, 0, 0, 0}, "selected=4 sent=4 2xx=4", 0)
	f([]time.Duration{900 * ms, 900 * ms, 900 * ms, 900 * ms}, "selected=4 sent=4 2xx=4", 3600*ms)
	// On a time-out the rest counts as timeout, too.
	f(nil, "selected=4 sent=4 timeout=4", time.Second)
	f([]time.Duration{900 * ms, 1100 * ms}, "selected=4 sent=4 2xx=1 timeout=3", 1900*ms)
	f([]time.Duration{0, 0, 0, 1100 * ms}, "selected=4 sent=4 2xx=3 timeout=1", time.Second)
}

// A target that does not read is given up, too: what was not written goes to
// another connection once, what was is a time-out.
func TestTimeoutOfTheWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fan := newFanout(t, nil, nobody+",conns=1,batch=3,timeout=1s")
		tg := fan.targets[0]
		tg.hold()
		fan.Submit(requests("GET /1", "POST /2", "GET /3"))
		ours, theirs := net.Pipe()
		l := newLane(tg)
		l.stream = ours
		l.take()
		go theirs.Read(make([]byte, 10)) // a part of the first one
		start := time.Now()
		l.exchange()
		if took := time.Since(start); took < 2*time.Second || took > 2*(time.Second+slack) {
			t.Errorf("took %v, want one second for the write and one for the answer", took)
		}
		ours.Close()
		theirs.Close()
		if got := counts(tg); got != "selected=3 sent=1 timeout=1" {
			t.Error(got)
		}
		var back []string
		for i := range tg.queue.n {
			back = append(back, string(tg.queue.at(i).buf[:6]))
		}
		if !slices.Equal(back, []string{"POST /", "GET /3"}) {
			t.Errorf("what was not written is %q", back)
		}
		tg.letGo()
		drain(t, fan)
		if got := counts(tg); got != "selected=3 dropped{dial}=2 sent=1 timeout=1" {
			t.Error(got)
		}
	})
}

// The age of a request that waits is looked at when its turn comes.
func TestMaxAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fan := newFanout(t, nil, nobody+",conns=1,batch=4,max-age=10s")
		tg := fan.targets[0]
		tg.hold()
		fan.Submit(requests("GET /1", "GET /2"))
		time.Sleep(5 * time.Second)
		fan.Submit(requests("GET /3"))
		time.Sleep(5*time.Second + 1)
		l := newLane(tg)
		l.take()
		if got := counts(tg); got != "selected=3 dropped{stale}=2" {
			t.Error(got)
		}
		if len(l.batch) != 1 || string(l.batch[0].buf[:6]) != "GET /3" || tg.inflight.Load() != 1 || tg.length.Load() != 0 {
			t.Errorf("took %d, in flight %d, queued %d", len(l.batch), tg.inflight.Load(), tg.length.Load())
		}
		l.dropBatch(dropDial)
		drain(t, fan)
	})
}

// The rate is one of real seconds.
func TestRateOverTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fan := newFanout(t, func(c *Config) { c.Memory = 1 }, nobody+",rate=50/s")
		for range 100 {
			fan.Submit(requests(slices.Repeat([]string{"GET /"}, 10)...))
			time.Sleep(100 * time.Millisecond)
		}
		drain(t, fan)
		if got := counts(fan.targets[0]); got != "selected=1000 dropped{rate}=500 dropped{memory}=500" {
			t.Error(got)
		}
	})
}
