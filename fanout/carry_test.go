package fanout

import (
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pair is a lane of a fast target that carries another, each with a pipe to the
// target that the test plays.
type pair struct {
	f              *Fanout
	tg             *target
	own, carried   *lane
	theirs, others net.Conn // the target's ends
	playing        sync.WaitGroup
}

// newPair makes the lanes, of which own has taken the first request and the
// second one for carried.
func newPair(t *testing.T, options string, reqs ...string) *pair {
	t.Helper()
	f := newFanout(t, nil, nobody+",batch=1,timeout=1s"+options)
	p := &pair{f: f, tg: f.targets[0]}
	p.tg.hold()
	p.tg.pace = pace{now: ms / 10}
	f.Submit(requests(reqs...))
	p.own, p.carried = newLane(p.tg), newLane(p.tg)
	p.own.stream, p.theirs = net.Pipe()
	p.carried.stream, p.others = net.Pipe()
	for _, l := range []*lane{p.own, p.carried} {
		l.known = p.tg.addresses.set.Load()
		l.readBy = 1 << 60 // as if they had waited for an answer before
	}
	p.tg.idle = append(p.tg.idle, p.carried)
	p.own.take()
	return p
}

func (p *pair) end(t *testing.T) {
	t.Helper()
	for _, conn := range []net.Conn{p.own.stream, p.carried.stream, p.theirs, p.others} {
		conn.Close()
	}
	p.playing.Wait()
	p.tg.mu.Lock()
	p.tg.idle = nil
	p.tg.mu.Unlock()
	p.tg.letGo()
	drain(t, p.f)
}

// answer plays the target's end of a connection: it takes what comes, and writes
// each piece after a pause.
func (p *pair) answer(conn net.Conn, pause time.Duration, pieces ...string) {
	p.playing.Go(func() { io.Copy(io.Discard, conn) })
	p.playing.Go(func() {
		for _, piece := range pieces {
			time.Sleep(pause)
			if piece == "" {
				conn.Close()
				return
			}
			io.WriteString(conn, piece)
		}
	})
}

// woken reports whether the carried lane was woken, as it would see it.
func (p *pair) woken() bool {
	select {
	case <-p.carried.wake:
		return true
	default:
		return false
	}
}

// What comes for a carried lane in time is read for it while it sleeps. Anything
// else is left to it, and ends as it would have without the other.
func TestCarried(t *testing.T) {
	f := func(name, request string, pause time.Duration, pieces []string, wantWoken bool, wantGood bool, wantCounts string) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			t.Helper()
			p := newPair(t, "", "GET /own", request)
			if len(p.own.batch) != 1 || len(p.own.carried) != 1 || p.own.carried[0] != p.carried || p.tg.inflight.Load() != 2 {
				t.Fatalf("%s: took %d, carries %d, %d in flight", name, len(p.own.batch), len(p.own.carried), p.tg.inflight.Load())
			}
			p.answer(p.theirs, 0, ok)
			p.answer(p.others, pause, pieces...)
			if !p.own.exchange() {
				t.Errorf("%s: the own connection is not good any more", name)
			}
			if got := p.woken(); got != wantWoken {
				t.Errorf("%s: the carried lane was woken: %v", name, got)
			}
			if wantWoken {
				p.carried.take()
				p.carried.idleSince = -2 * idleCheck // what is under way is not checked
				if good := p.carried.usable() && p.carried.exchange(); good != wantGood {
					t.Errorf("%s: the connection is good: %v", name, good)
				}
			} else {
				p.own.letGo()
				if p.tg.idleLanes() != 1 {
					t.Errorf("%s: the carried lane is not idle again", name)
				}
				if p.carried.underWay || !p.carried.proven {
					t.Errorf("%s: the carried lane is not as after an exchange", name)
				}
			}
			if got := counts(p.tg); got != wantCounts || p.tg.inflight.Load() != 0 {
				t.Errorf("%s: %s, %d in flight, want %s", name, got, p.tg.inflight.Load(), wantCounts)
			}
			p.end(t)
		})
	}
	const two = "selected=2 sent=2 2xx=2"
	// g is f for what comes at once.
	g := func(name, request string, wantWoken, wantGood bool, wantCounts string, pieces ...string) {
		t.Helper()
		f(name, request, 0, pieces, wantWoken, wantGood, wantCounts)
	}
	g("a simple answer", "POST /b 1", false, true, two, ok)
	g("404", "GET /b", false, true, "selected=2 sent=2 2xx=1 4xx=1", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
	g("HEAD", "HEAD /b", false, true, two, "HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n")
	g("chunked", "GET /b", true, true, two, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")
	g("interim", "GET /b", true, true, two, "HTTP/1.1 103 Early Hints\r\n\r\n", ok)
	g("it closes", "GET /b", true, false, two, okClose)
	g("bytes behind the answer", "GET /b", true, false, two, ok+ok)
	g("garbage", "GET /b", true, false, "selected=2 sent=2 2xx=1 protocol=1", "SSH-2.0\r\n\r\n")
	f("the end", "POST /b 1", time.Millisecond, []string{""}, true, false, "selected=2 sent=2 2xx=1 reset=1")
	g("the end in the answer", "GET /b", true, false, "selected=2 sent=2 2xx=1 reset=1", ok[:len(ok)-1], "")
	late := time.Duration(patience)
	f("in pieces, the last one late", "GET /b", late, []string{ok[:20], ok[20:]}, true, true, two)
	f("just in time", "GET /b", late-1, []string{ok}, false, true, two)
	f("late", "GET /b", 3*late, []string{ok}, true, true, two)
	f("never", "POST /b 1", 0, nil, true, false, "selected=2 sent=2 2xx=1 timeout=1")
}

// A request that was not written to the connection of its lane goes to another
// one, as if it had not been carried.
func TestCarriedAndNotWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, "", "GET /own", "POST /b 1")
		p.others.Close()
		p.answer(p.theirs, 0, ok)
		if !p.own.exchange() || !p.woken() {
			t.Error("the carried lane was not woken, or the own connection is not good")
		}
		p.carried.take()
		if p.carried.exchange() || p.tg.queue.n != 1 {
			t.Errorf("%d queued after a write that failed", p.tg.queue.n)
		}
		p.end(t)
		if got := counts(p.tg); got != "selected=2 dropped{dial}=1 sent=1 2xx=1" {
			t.Error(got)
		}
	})
}

// A lane whose own answer does not come keeps nobody: the carried lanes are idle
// again, and counted, when the patience is over.
func TestCarriedAreFreeInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, "", "GET /own", "POST /b 1")
		p.answer(p.theirs, 900*time.Millisecond, ok)
		p.answer(p.others, 0, ok)
		p.playing.Go(func() {
			if !p.own.exchange() {
				t.Error("the own connection is not good any more")
			}
		})
		time.Sleep(3 * time.Duration(patience))
		if got := counts(p.tg); got != "selected=2 sent=1 2xx=1" || p.tg.idleLanes() != 1 {
			t.Errorf("%s, %d idle lanes", got, p.tg.idleLanes())
		}
		time.Sleep(time.Second)
		if got := counts(p.tg); got != "selected=2 sent=2 2xx=2" {
			t.Error(got)
		}
		p.end(t)
	})
	// If requests wait, it is woken for them.
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, "", "GET /own", "POST /b 1")
		p.tg.mu.Lock()
		p.tg.lanes = 2
		p.tg.cfg.Conns = 2
		p.tg.mu.Unlock()
		p.answer(p.theirs, 900*time.Millisecond, ok)
		p.answer(p.others, 0, ok)
		p.f.Submit(requests("GET /c"))
		p.playing.Go(func() { p.own.exchange() })
		time.Sleep(3 * time.Duration(patience))
		if !p.woken() {
			t.Error("nobody was woken for the request that waits")
		}
		time.Sleep(time.Second)
		p.end(t)
	})
}

// To be carried, or to carry, does not move the time limit of an answer.
func TestTimeoutOfTheCarried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, ",timeout=10ms", "GET /own", "POST /b 1")
		p.answer(p.theirs, 0)
		p.answer(p.others, 0)
		start := time.Now()
		p.playing.Go(func() {
			<-p.carried.wake
			p.carried.take()
			p.carried.exchange()
			if took := time.Since(start); took > 10*time.Millisecond+10*time.Millisecond/64 {
				t.Errorf("the carried one's took %v", took)
			}
		})
		p.own.exchange()
		if took := time.Since(start); took > 10*time.Millisecond+10*time.Millisecond/64 {
			t.Errorf("took %v", took)
		}
		time.Sleep(time.Second)
		if got := counts(p.tg); got != "selected=2 sent=2 timeout=2" {
			t.Error(got)
		}
		p.end(t)
	})
}

// An answer to a request that could not be written whole is not the end of it.
func TestCarriedAndAnsweredEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, "", "GET /own", "POST /b 1")
		p.answer(p.theirs, 0, ok)
		p.answer(p.others, 0, ok)
		p.own.sendCarried()
		p.own.send()
		p.carried.writeErr = io.ErrShortWrite
		p.own.readCarried()
		if !p.woken() {
			t.Error("the carried lane was not woken")
		}
		if p.carried.exchange() {
			t.Error("its connection is good")
		}
		p.own.receive()
		p.end(t)
		if got := counts(p.tg); got != "selected=2 sent=2 2xx=2" {
			t.Error(got)
		}
	})
}

// When the target drains, a carried lane is woken to end.
func TestCarriedEndsWithTheTarget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, "", "GET /own", "POST /b 1")
		p.answer(p.theirs, 0, ok)
		p.answer(p.others, 0, ok)
		p.own.exchange()
		p.tg.drain(dropShutdown)
		if p.woken() || p.own.take() || !p.woken() || p.carried.take() {
			t.Error("the carried lane was woken too early or not at all, or found work")
		}
		p.end(t)
	})
}

// Only a lane whose connection is known to be good is carried, and only by one
// that has a connection itself; for others there is work all the same.
func TestWhoIsCarried(t *testing.T) {
	f := func(what string, edit func(own, other *lane), wantCarried, wantBatch int) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			t.Helper()
			fan := newFanout(t, nil, nobody+",batch=1")
			tg := fan.targets[0]
			tg.hold()
			tg.pace = pace{now: ms / 10}
			fan.Submit(requests("GET /1", "GET /2"))
			own, other := newLane(tg), newLane(tg)
			ours, theirs := net.Pipe()
			own.stream, other.stream = ours, theirs
			other.idleSince = fan.now()
			own.known, other.known = tg.addresses.set.Load(), tg.addresses.set.Load()
			tg.idle = append(tg.idle, other)
			edit(own, other)
			own.take()
			if len(own.carried) != wantCarried || len(other.batch) != wantBatch || len(other.wake) != wantBatch-wantCarried {
				t.Errorf("%s: carries %d, the other has %d and was woken %d times", what, len(own.carried), len(other.batch), len(other.wake))
			}
			for _, l := range []*lane{own, other} {
				l.dropBatch(dropDial)
			}
			ours.Close()
			theirs.Close()
			tg.idle = nil
			tg.letGo()
			drain(t, fan)
		})
	}
	f("a good one", func(_, _ *lane) {}, 1, 1)
	f("no connection", func(_, other *lane) { other.stream = nil }, 0, 1)
	f("the target has moved", func(_, other *lane) { other.known = nil }, 0, 1)
	f("idle for long", func(_, other *lane) { other.idleSince -= idleCheck }, 0, 1)
	f("a connection that is not good to carry with", func(own, _ *lane) { own.known = nil }, 0, 0)
	f("no connection to carry with", func(own, _ *lane) { own.stream = nil }, 0, 0)
	f("a slow target", func(own, _ *lane) { own.t.pace = pace{now: 10 * ms} }, 0, 0)
	f("batches", func(own, _ *lane) { own.t.batchLimit.Store(2) }, 0, 0)
}
