package fanout

import (
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// openBreaker opens the breaker of t; its next probe is in an hour.
func (t *target) openBreaker() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for !t.breaker.fail(t.f.now()) {
	}
	t.breaker.probeAt.Store(t.f.now() + int64(time.Hour))
}

// probeNow makes it time for a probe.
func (t *target) probeNow() {
	t.breaker.probeAt.Store(t.f.now())
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
		for _, c := range what {
			if c == '.' {
				b.succeed()
			} else if b.fail(1) {
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
	for range breakerFailures {
		b.fail(1)
	}
	for range 3 * breakerFailures {
		if b.fail(1) {
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
			for !b.fail(now) {
			}
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
		if got := counts(tg); got != "selected=100" || tg.lanes != 0 || tg.length.Load() != 100 {
			t.Errorf("%s, %d lanes, %d queued, want all to wait", got, tg.lanes, tg.length.Load())
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

// One probe at a time; its answer brings all lanes back to work.
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
	if tg.lanes != 1 || tg.queue.n != queued-1 || tg.inflight.Load() != 1 {
		t.Errorf("%d lanes, %d queued, %d in flight besides the probe", tg.lanes, tg.queue.n, tg.inflight.Load())
	}
	tg.mu.Unlock()
	checkLog(t, &out, map[string]int{"breaker closed": 0})
	release <- ok
	eventually(t, "all answers", func() bool { return answered(tg) == queued })
	drain(t, f)
	if got := counts(tg); got != "selected=70 dropped{breaker}=20 sent=50 2xx=50" {
		t.Error(got)
	}
	if rt.connections() < 2 {
		t.Error("the answer rang no other lane")
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
	f := newFanout(t, nil, rt.url)
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

// What counts as a failure. One request at a time goes to a target that plays
// the same on every connection; wantOpen is after how many the breaker opens.
func TestBreakerFailures(t *testing.T) {
	f := func(what, options string, play func(c *rawConn), wantOpen int) {
		t.Helper()
		url := nobody
		if play != nil {
			url = listen(t, play).url
		}
		if strings.HasPrefix(what, "tls") {
			url = strings.Replace(url, "http:", "https:", 1)
		}
		fan := newFanout(t, nil, url+",conns=1"+options)
		tg := fan.targets[0]
		ended := func() (n uint64) {
			for _, c := range slices.Concat(tg.metrics.dropped[1:], tg.metrics.errors[:], tg.metrics.responses[:]) {
				n += c.Get()
			}
			return n
		}
		const tries = 2 * breakerFailures
		opened := 0
		for i := range tries {
			fan.Submit(requests("POST / body"))
			eventually(t, what+" to be counted", func() bool { return ended() == uint64(i+1) && tg.inflight.Load() == 0 })
			if opened == 0 && tg.breaker.open() {
				opened = i + 1
				tg.breaker.probeAt.Store(fan.now() + int64(time.Hour))
			}
		}
		if opened != wantOpen {
			t.Errorf("%s: open after %d, want %d (%s)", what, opened, wantOpen, counts(tg))
		}
		if want := tries - wantOpen; wantOpen > 0 && tg.metrics.dropped[dropBreaker].Get() != uint64(want) {
			t.Errorf("%s: %s, want %d dropped by the breaker", what, counts(tg), want)
		}
		drain(t, fan)
	}
	one := func(answer string) func(c *rawConn) {
		return func(c *rawConn) {
			c.take(1)
			c.send(answer)
		}
	}
	f("dial", "", nil, 5)
	f("tls", "", one("no TLS"), 5)
	f("timeout", ",timeout=20ms", func(c *rawConn) { c.waitEnd() }, 5)
	f("reset before an answer", "", one(""), 5)
	f("reset in a head", "", one("HTTP/1.1 200 OK\r\nCo"), 5)
	f("reset in a body", "", one("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"), 5)
	// It is alive, and answers.
	f("garbage", "", one("SSH-2.0-OpenSSH_9.2\r\n\r\n"), 0)
	f("500", "", one("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"), 0)
	f("close each", "", one(okClose), 0)
	f("closes unannounced", "", one(ok), 0)
	// Time-outs between answers are none in a row.
	f("every third hangs", ",timeout=20ms", func(c *rawConn) {
		for range 2 {
			c.take(1)
			c.send(ok)
		}
		c.waitEnd()
	}, 0)
}

// A batch that goes unanswered is one failure, however long it is.
func TestBreakerCountsBatches(t *testing.T) {
	rt := listen(t, func(c *rawConn) { c.waitEnd() })
	f := newFanout(t, nil, rt.url+",conns=1,batch=16,timeout=20ms")
	tg := f.targets[0]
	f.Submit(requests(slices.Repeat([]string{"GET /"}, 16)...))
	eventually(t, "the time-out", func() bool { return tg.metrics.errors[errorTimeout].Get() == 16 })
	tg.mu.Lock()
	if tg.breaker.failures != 1 {
		t.Errorf("%d failures for one batch", tg.breaker.failures)
	}
	tg.mu.Unlock()
	drain(t, f)
}

// A probe that fails, in whatever way, is followed by another, later.
func TestBreakerAfterAProbe(t *testing.T) {
	f := func(what, options string, play func(c *rawConn), want string) {
		t.Helper()
		rt := listen(t, play)
		fan := newFanout(t, nil, rt.url+",conns=1"+options)
		tg := fan.targets[0]
		tg.openBreaker()
		tg.mu.Lock()
		tg.breaker.pause = 3 * probePause
		tg.mu.Unlock()
		tg.probeNow()
		fan.Submit(requests("POST / x", "POST / x", "POST / x"))
		eventually(t, what, func() bool {
			return tg.metrics.sent.Get() == 1 && tg.breaker.probeAt.Load() != underWay
		})
		tg.mu.Lock()
		if tg.breaker.pause != 6*probePause {
			t.Errorf("%s: the pause is %v, want it doubled", what, time.Duration(tg.breaker.pause))
		}
		tg.mu.Unlock()
		drain(t, fan)
		if got := counts(tg); got != "selected=3 dropped{breaker}=2 sent=1 "+want {
			t.Errorf("%s: %s", what, got)
		}
	}
	f("time-out", ",timeout=20ms", func(c *rawConn) { c.waitEnd() }, "timeout=1")
	f("reset", "", func(c *rawConn) { c.take(1) }, "reset=1")
	f("garbage", "", func(c *rawConn) {
		c.take(1)
		c.send("no HTTP\r\n\r\n")
	}, "protocol=1")
}

// A lane that has to go does so although something waits for a probe.
func TestBreakerLetsLanesGo(t *testing.T) {
	f := newFanout(t, nil, nobody+",conns=2")
	tg := f.targets[0]
	tg.hold()
	f.Submit(requests("GET /"))
	tg.openBreaker()
	l := newLane(tg)
	l.retired = true
	if l.take() || !l.leave() || tg.lanes != 1 {
		t.Errorf("it did not leave: %d lanes, took %d", tg.lanes, len(l.batch))
	}
	tg.letGo()
	drain(t, f)
}

// A request that something else keeps out does not use the probe up.
func TestBreakerAndOtherDrops(t *testing.T) {
	f := newFanout(t, nil, nobody+",rate=0.001/s")
	tg := f.targets[0]
	f.Submit(requests("GET /1"))
	eventually(t, "the first drop", func() bool { return tg.metrics.dropped[dropDial].Get() == 1 })
	tg.openBreaker()
	tg.probeNow()
	at := tg.breaker.probeAt.Load()
	f.Submit(requests("GET /2"))
	if got := counts(tg); got != "selected=2 dropped{rate}=1 dropped{dial}=1" || tg.breaker.probeAt.Load() != at {
		t.Errorf("%s, the probe is at %d, was at %d", got, tg.breaker.probeAt.Load(), at)
	}
	drain(t, f)
}

// A drain does not wait for probes: what is queued gets its last chance, and a
// target that is still down holds nothing back.
func TestBreakerInADrain(t *testing.T) {
	f := func(url, want string) {
		t.Helper()
		fan := newFanout(t, nil, url+",conns=1,batch=1")
		tg := fan.targets[0]
		tg.hold()
		fan.Submit(requests(slices.Repeat([]string{"GET /"}, 10)...))
		tg.openBreaker()
		tg.letGo()
		drain(t, fan)
		fan.Submit(requests("GET /"))
		if got := counts(tg); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	f(nobody, "selected=11 dropped{dial}=10 dropped{shutdown}=1")
	f(listen(t, func(c *rawConn) { c.serve(ok) }).url, "selected=11 dropped{shutdown}=1 sent=10 2xx=10")
}

// A target whose breaker is open keeps its share: its neighbour must not be
// flooded because it died.
func TestBreakerKeepsItsShareOfThePick(t *testing.T) {
	const all = 1000
	rt := listen(t, func(c *rawConn) { c.serve(ok) })
	picks := func(open bool) (a, b uint64) {
		fan := newFanout(t, func(c *Config) { c.SampleBy, _ = ParseSampleKey("path") },
			"a="+rt.url+",group=g", "b="+rt.url+",group=g,weight=3")
		if open {
			fan.targets[1].openBreaker()
		}
		for i := range all {
			fan.Submit(requests("GET /" + strings.Repeat("x", i)))
		}
		a, b = fan.targets[0].metrics.selected.Get(), fan.targets[1].metrics.selected.Get()
		if n := fan.targets[1].metrics.dropped[dropBreaker].Get(); open && n != b {
			t.Errorf("%d of %d were dropped by the breaker", n, b)
		}
		drain(t, fan)
		return a, b
	}
	a1, b1 := picks(false)
	a2, b2 := picks(true)
	if a1 != a2 || b1 != b2 || b1 < all/2 {
		t.Errorf("shares were %d and %d, with the breaker open %d and %d", a1, b1, a2, b2)
	}
}

// A target may close what is idle whenever it likes: many connections that were
// good, and end as the next request goes out, are no failure and lose nothing.
func TestBreakerIgnoresTheEndOfGoodConnections(t *testing.T) {
	const conns = 2 * breakerFailures
	var first, second sync.WaitGroup
	first.Add(conns)
	second.Add(conns)
	answer := make(chan struct{})
	rt := listen(t, func(c *rawConn) {
		if c.number > conns {
			c.take(1)
			<-answer
			c.send(ok)
			c.serve(ok)
			return
		}
		c.take(1)
		first.Done()
		first.Wait()
		c.send(ok)
		c.take(1)
		second.Done()
		second.Wait()
	})
	f := newFanout(t, nil, rt.url+",conns=10,batch=1")
	tg := f.targets[0]
	together := requests(slices.Repeat([]string{"GET /"}, conns)...)
	f.Submit(together)
	eventually(t, "ten idle lanes", func() bool { return tg.idleLanes() == conns })
	tg.mu.Lock()
	tg.pace = pace{now: 10 * ms}
	tg.mu.Unlock()
	f.Submit(together)
	eventually(t, "all to be sent again", func() bool { return len(rt.requests()) == 3*conns || tg.breaker.open() })
	close(answer)
	drain(t, f)
	if got := counts(tg); got != "selected=20 sent=20 2xx=20" || tg.breaker.opened != 0 {
		t.Errorf("%s, breaker opened at %d", got, tg.breaker.opened)
	}
	if n := len(rt.requests()); n != 30 {
		t.Errorf("the target saw %d requests, want 10 of them twice", n)
	}
}

// A real target that dies and comes back, twice, under traffic.
func TestBreakerWithATargetThatDiesAndComesBack(t *testing.T) {
	target := newReborn(t)
	target.live()
	var out lockedBuffer
	f := newFanout(t, logged(&out), "stg=http://"+target.addr+",conns=4", "good="+listen(t, func(c *rawConn) { c.serve(ok) }).url)
	tg := f.targets[0]
	submitted := uint64(0)
	traffic := func(what string, until func() bool) {
		t.Helper()
		eventually(t, what, func() bool {
			f.Submit(requests("GET /1", "POST /2 body"))
			submitted += 2
			return until()
		})
	}
	gauge := func() string { return sample(t, f, `mirrorgate_target_breaker_open{target="stg"}`) }
	for round := range 2 {
		before := answered(tg)
		traffic("answers", func() bool { return answered(tg) >= before+100 && gauge() == "0" })
		target.die()
		traffic("the breaker to open", func() bool { return gauge() == "1" })
		dropped := tg.metrics.dropped[dropBreaker].Get()
		dials := tg.metrics.dropped[dropDial].Get()
		traffic("probes", func() bool { return tg.metrics.dropped[dropDial].Get() >= dials+2 })
		if tg.metrics.dropped[dropBreaker].Get() == dropped {
			t.Error("nothing was dropped by the breaker")
		}
		checkLog(t, &out, map[string]int{"breaker opened": round + 1, "breaker closed": round})
		target.live()
		traffic("the breaker to close", func() bool { return gauge() == "0" })
		checkLog(t, &out, map[string]int{"breaker opened": round + 1, "breaker closed": round + 1})
	}
	drain(t, f)
	if got := answered(f.targets[1]); got != submitted {
		t.Errorf("the other target got %d of %d", got, submitted)
	}
}
