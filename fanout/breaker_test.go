package fanout

import (
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// openBreaker opens the breaker of t; its next probe is in an hour.
func (t *target) openBreaker() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for n := int64(1); !t.breaker.fail(t.now()+n, t.now()+n); n++ {
	}
	t.breaker.probeAt.Store(t.now() + int64(time.Hour))
}

// probeNow makes it time for a probe.
func (t *target) probeNow() {
	t.breaker.probeAt.Store(t.now())
}

// logged returns an edit of the configuration that sends the log to the buffer.
func logged(out *lockedBuffer) func(*Config) {
	return func(c *Config) { c.Logger = slog.New(slog.NewTextHandler(out, nil)) }
}

func checkLog(t *testing.T, out *lockedBuffer, want map[string]int) {
	t.Helper()
	for line, n := range want {
		if got := strings.Count(out.String(), line); got != n {
			t.Errorf("%q was logged %d times, want %d:\n%s", line, got, n, out)
		}
	}
}

// Five failures in a row open it: x is a failure, a dot an answer.
func TestBreakerOpensAfterFailuresInARow(t *testing.T) {
	f := func(what string, want bool) {
		t.Helper()
		var b breaker
		opened := false
		for now, c := range what {
			now := int64(now)
			if c == '.' {
				b.succeed()
			} else if b.fail(now+1, now+1) {
				opened = true
			}
		}
		if b.open() != want || opened != want {
			t.Errorf("%q: open is %v, opened %v, want %v", what, b.open(), opened, want)
		}
	}
	f("", false)
	f("xxxx", false)
	f("xxxxx", true)
	f("xxxx.", false)
	f("xxxx.xxxx", false)
	f("xxxx.xxxxx", true)
	f(".xxxxx", true)

	var b breaker
	for n := range int64(breakerFailures) {
		b.fail(n+1, n+1)
	}
	for n := range int64(3 * breakerFailures) {
		if b.fail(n+10, n+10) {
			t.Error("what was on its way before opens it again")
		}
	}
	if !b.succeed() || b.succeed() || b.open() {
		t.Error("an answer closes it once")
	}
}

// The pauses between probes double up to a second, with jitter, and begin at
// 100 ms each time the breaker opens.
func TestBreakerPauses(t *testing.T) {
	const now = int64(time.Hour)
	f := func(b *breaker, n int) map[int64]bool {
		t.Helper()
		seen := map[int64]bool{}
		for range n {
			for n := int64(breakerFailures); !b.fail(now-n, now-n); n-- {
			}
			b.pause = 0
			b.postpone(now)
			for _, least := range []int64{100, 200, 400, 720, 720, 720} {
				pause := b.probeAt.Load() - now
				if pause < least*ms || pause >= least*ms*5/4 || pause > int64(time.Second-tickEvery) {
					t.Errorf("a pause of %v, want %d ms and up to a quarter more", time.Duration(pause), least)
				}
				seen[pause] = true
				if b.holds(now+pause) || !b.holds(now+pause-1) {
					t.Error("a probe may go at another time")
				}
				b.postpone(now)
			}
			b.succeed()
		}
		return seen
	}
	var b breaker
	if n := len(f(&b, 20)); n < 100 {
		t.Errorf("%d different pauses of 120: there is no jitter", n)
	}
}

// The life of a breaker in exact time. Requests come one a millisecond to a
// target that is down: five meet it, then only probes do.
func TestBreakerProbesATargetThatIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out lockedBuffer
		f := newFanout(t, logged(&out), "stg="+nobody)
		tg := f.targets[0]
		start := time.Now()
		var tries []time.Duration // when a request met the target
		for range 10_000 {
			before := tg.metrics.dropped[dropDial].Get()
			f.Submit(requests("GET /1"))
			synctest.Wait()
			if tg.breaker.open() {
				f.Submit(requests("GET /2", "GET /3"))
				synctest.Wait()
			}
			if n := tg.metrics.dropped[dropDial].Get() - before; n > 0 {
				tries = append(tries, time.Since(start))
			}
			time.Sleep(time.Millisecond)
		}
		if len(tries) < breakerFailures+13 || len(tries) > breakerFailures+17 {
			t.Errorf("it was tried %d times in 10 s: %v", len(tries), tries)
		}
		for i := breakerFailures; i < len(tries); i++ {
			least := []time.Duration{100, 200, 400, 720}[min(i-breakerFailures, 3)] * time.Millisecond
			if pause := tries[i] - tries[i-1]; pause < least || pause > least*5/4+time.Millisecond || pause > time.Second {
				t.Errorf("probe %d came after %v, want %v and up to a quarter more", i-breakerFailures+1, pause, least)
			}
		}
		if got := sample(t, f, `mirrorgate_target_breaker_open{target="stg"}`); got != "1" {
			t.Errorf("the gauge says %s", got)
		}
		if got := int(tg.metrics.dropped[dropDial].Get()); got != len(tries) {
			t.Errorf("%d requests met the target in %d tries, want one each", got, len(tries))
		}
		if dropped := tg.metrics.dropped[dropBreaker].Get() + tg.metrics.dropped[dropDial].Get(); dropped != tg.metrics.selected.Get() {
			t.Error(counts(tg))
		}
		drain(t, f)
		checkLog(t, &out, map[string]int{"breaker opened": 1, "breaker closed": 0, "target=stg": 1, "connection refused": 1})
	})
}

// What waits when it opens waits for max-age, but for the probes, which come
// from the head of the queue even when no new request comes.
func TestBreakerAndTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFanout(t, nil, nobody+",max-age=10s")
		tg := f.targets[0]
		tg.hold()
		f.Submit(requests(slices.Repeat([]string{"GET /"}, 100)...))
		tg.openBreaker()
		tg.letGo()
		time.Sleep(9 * time.Second)
		synctest.Wait()
		if got := counts(tg); got != "selected=100" || tg.open != 0 || tg.length.Load() != 100 {
			t.Errorf("%s, %d connections, %d queued, want all to wait", got, tg.open, tg.length.Load())
		}
		f.Submit(requests("GET /", "GET /"))
		tg.probeNow()
		f.Submit(requests("GET /", "GET /")) // there are enough that could be the probe
		for probes := range uint64(3) {
			if got := tg.metrics.dropped[dropDial].Get(); got != probes {
				t.Errorf("%d probes, want %d", got, probes)
			}
			tg.probeNow()
			time.Sleep(tickEvery)
			synctest.Wait()
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if m := tg.metrics; m.dropped[dropBreaker].Get() != 4 || m.dropped[dropStale].Get() != 100-m.dropped[dropDial].Get() || tg.length.Load() != 0 {
			t.Errorf("%s, %d queued", counts(tg), tg.length.Load())
		}
		drain(t, f)
	})
}

// One probe at a time; its answer brings all back to work.
func TestBreakerClosesOnAnAnswer(t *testing.T) {
	const queued = 50
	release := make(chan string)
	rt := listen(t, func(c *rawConn) {
		if c.number == 1 {
			c.take(1)
			c.send(<-release)
		}
		c.serve(ok)
	})
	var out lockedBuffer
	f := newFanout(t, logged(&out), "stg="+rt.url)
	tg := f.targets[0]
	tg.hold()
	f.Submit(requests(slices.Repeat([]string{"POST / x"}, queued)...))
	tg.openBreaker()
	tg.probeNow()
	tg.letGo()
	eventually(t, "the probe", func() bool { return len(rt.requests()) == 1 })
	// As long as it is under way, nothing else moves.
	for range 10 {
		f.Submit(requests("GET /", "GET /"))
		tg.tick(f.now())
	}
	tg.mu.Lock()
	if tg.open != 1 || tg.queue.n != queued-1 {
		t.Errorf("%d connections, %d queued besides the probe", tg.open, tg.queue.n)
	}
	tg.mu.Unlock()
	checkLog(t, &out, map[string]int{"breaker closed": 0})
	release <- ok
	eventually(t, "all answers", func() bool { return answered(tg) == queued })
	drain(t, f)
	if got := counts(tg); got != "selected=70 dropped{breaker}=20 sent=50 2xx=50" {
		t.Error(got)
	}
	checkLog(t, &out, map[string]int{"breaker closed": 1, "target=stg": 1})
}

// An answer that was waited for since before the breaker opened closes it, too.
func TestBreakerClosesOnALateAnswer(t *testing.T) {
	release := make(chan struct{})
	rt := listen(t, func(c *rawConn) {
		c.take(1)
		<-release
		c.send("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n")
		c.serve(ok)
	})
	f := newFanout(t, nil, rt.url+",conns=1")
	tg := f.targets[0]
	f.Submit(requests("GET /1"))
	eventually(t, "the request", func() bool { return len(rt.requests()) == 1 })
	tg.openBreaker()
	f.Submit(requests("GET /2"))
	close(release)
	eventually(t, "the breaker to close", func() bool { return !tg.breaker.open() })
	f.Submit(requests("GET /3"))
	drain(t, f)
	if got := counts(tg); got != "selected=3 dropped{breaker}=1 sent=2 2xx=1 5xx=1" {
		t.Error(got)
	}
}
