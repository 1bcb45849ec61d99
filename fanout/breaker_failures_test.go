package fanout

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

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
			eventually(t, what+" to be counted", func() bool { return ended() == uint64(i+1) && tg.inFlight() == 0 })
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
	// It is alive, and answers.
	f("reset in a body", "", one("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"), 0)
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

// Requests that were under way together and are not answered are one failure,
// however many they are.
func TestBreakerCountsWhatWasUnderWayOnce(t *testing.T) {
	const together = 16
	rt := listen(t, func(c *rawConn) { c.waitEnd() })
	f := newFanout(t, nil, rt.url+",conns=16,timeout=500ms")
	tg := f.targets[0]
	f.Submit(requests(slices.Repeat([]string{"GET /"}, together)...))
	eventually(t, "the time-outs", func() bool { return tg.metrics.errors[errorTimeout].Get() == together })
	tg.mu.Lock()
	if tg.breaker.failures != 1 {
		t.Errorf("%d failures for requests that were under way together", tg.breaker.failures)
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
	eventually(t, "ten idle connections", func() bool { return tg.idleConns() == conns })
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
