package main

import "testing"

// HAProxy sends what it is told to: all, then as little as may be while the
// target takes nothing, then all again.
func TestHAProxyIsSteered(t *testing.T) {
	origin, target := startRecorder(t), startRecorder(t)
	a := startAgent(t, "--steer", "--target", target.url())
	c := newCrowd(startPrinted(t, origin.addr(), "--steer", "--agents", a.spop))
	received := func() int64 { return a.counters().sum("mirrorgate_requests_received_total") }
	ratio := func() float64 { return a.counters()["mirrorgate_steer_ratio"] }
	tune := func(setting string) {
		t.Helper()
		if code, _, stderr := mirrorgate(t, nil, "tune", "--admin", a.admin, "t1", setting); code != 0 {
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
