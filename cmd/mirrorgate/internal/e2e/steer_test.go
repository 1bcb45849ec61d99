package e2e

import (
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/mirrorgate/mirrorgate/bench"
)

// HAProxy sends what it is told to: all, then as little as may be while the
// target takes nothing, then all again.
func TestHAProxyIsSteered(t *testing.T) {
	origin, target := startRecorder(t), startRecorder(t)
	a := startAgent(t, "--steer", "--target", target.url())
	c := newCrowd(startPrinted(t, origin.addr(), "--steer", "--agents", a.spop))
	received := func() int64 { return a.counters().Count("mirrorgate_requests_received_total") }
	ratio := func() float64 { return a.value("mirrorgate_steer_ratio") }
	tune := func(setting string) {
		t.Helper()
		if code, _, stderr := mirrorgate(t, nil, "tune", "--admin", a.admin, "127.0.0.1", setting); code != 0 {
			t.Fatalf("tune ends with %d: %s", code, stderr)
		}
	}
	// until lets clients send until HAProxy has heard of the share that is wanted.
	// At the least, that takes some hundred requests.
	until := func(share float64) {
		t.Helper()
		eventually(t, "the share is what is wanted", func() bool {
			c.run(20, upTo(c.sent.Load()+500), nil)
			return ratio() == share
		})
		before := received()
		eventually(t, "an ACK has told HAProxy", func() bool {
			c.run(1, upTo(c.sent.Load()+100), nil)
			return received() > before
		})
	}
	sent := func(requests int64) int64 {
		before := received()
		c.run(20, upTo(c.sent.Load()+requests), nil)
		return received() - before
	}
	if got := sent(500); got != 500 {
		t.Errorf("at first HAProxy sends %d of 500 requests", got)
	}
	tune("paused=true")
	until(0.01)
	if got := sent(3000); got < 3 || got > 100 {
		t.Errorf("for a target that takes nothing HAProxy sends %d of 3000 requests, want about 30", got)
	}
	tune("paused=false")
	until(1)
	if got := sent(500); got != 500 {
		t.Errorf("in the end HAProxy sends %d of 500 requests", got)
	}
	c.unharmed(t)
	a.atRest(received(), oneTarget)
}

// Under many times the load that a target takes, the frames that HAProxy sends
// fall to what it does take, and next to nothing is dropped here. When the load
// is gone, HAProxy sends everything again.
func TestHAProxyIsSteeredToWhatTheTargetTakes(t *testing.T) {
	origin := startRecorder(t)
	slow, err := bench.ListenSink("127.0.0.1:0", bench.SinkDelay, 5*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(slow.Close)
	a := startAgent(t, "--steer", "--target", "http://"+slow.Addr()+",conns=1,batch=1,queue=256,max-age=1m")
	c := newCrowd(startPrinted(t, origin.addr(), "--steer", "--agents", a.spop))
	// window returns what came of the next requests of production.
	window := func(requests int64, clients int, pause time.Duration) (received, dropped int64) {
		before := a.counters()
		c.run(clients, upTo(c.sent.Load()+requests), func(int64, *fasthttp.Request) { time.Sleep(pause) })
		now := a.counters()
		since := func(family string) int64 { return now.Count(family) - before.Count(family) }
		return since("mirrorgate_requests_received_total"), since("mirrorgate_target_dropped_total")
	}
	eventually(t, "HAProxy sends what the target takes", func() bool {
		received, dropped := window(2000, 20, 0)
		t.Logf("overload: of 2000 requests HAProxy sends %d, %d are dropped", received, dropped)
		return received > 0 && received < 1000 && dropped <= received/10
	})
	eventually(t, "HAProxy sends everything again", func() bool {
		received, dropped := window(50, 1, 10*time.Millisecond)
		t.Logf("light load: of 50 requests HAProxy sends %d, %d are dropped", received, dropped)
		return received == 50 && dropped == 0
	})
	c.unharmed(t)
	a.atRest(a.counters().Count("mirrorgate_requests_received_total"), oneTarget)
}
