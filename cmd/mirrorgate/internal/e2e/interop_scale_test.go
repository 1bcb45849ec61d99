package e2e

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/valyala/fasthttp"
)

// byUser gives requests to users, for keyed sampling.
func byUser(users int64) func(n int64, req *fasthttp.Request) {
	return func(n int64, req *fasthttp.Request) { req.Header.Set("X-User", fmt.Sprintf("user-%d", n%users)) }
}

// startSampled starts agents that all send a fifth of the users to one target.
func startSampled(t *testing.T, n int, target *recorder) (agents []*agent, addrs []string) {
	for range n {
		a := startAgent(t, "--sample-by", "header:x-user", "--sample", "20%", "--target", target.url())
		agents, addrs = append(agents, a), append(addrs, a.spop)
	}
	return agents, addrs
}

// checkSampled checks that each user at the target is there with all requests,
// whichever agents had them, and that they are the expected share.
func checkSampled(t *testing.T, target *recorder, users, requestsEach int) map[string]int {
	t.Helper()
	got := usersOf(target)
	for user, n := range got {
		if n != requestsEach {
			t.Errorf("%s is in with %d of %d requests", user, n, requestsEach)
		}
	}
	// The users are always the same, so this cannot fail by chance.
	if share := float64(len(got)) / float64(users); share < 0.15 || share > 0.25 {
		t.Errorf("%d of %d users are in at 20%%", len(got), users)
	}
	return got
}

// One HAProxy spreads its requests over three agents, which decide alike for each
// user. One that is killed takes along what was in its hands, and nothing more.
func TestHAProxyThreeAgents(t *testing.T) {
	const users, requestsEach = 1000, 3
	target := startRecorder(t)
	agents, addrs := startSampled(t, 3, target)
	p := startInterop(t, proxyOptions{threads: 2, mode: "tcp"}, addrs...)
	c := newCrowd(p.addr)
	c.run(20, upTo(users*requestsEach), byUser(users))
	c.unharmed(t)
	for _, a := range agents {
		received := a.counters().Count("mirrorgate_requests_received_total")
		// Up to 3.0 HAProxy spreads connections, and prefers those it used last.
		if proxyVersion.Mux() && received < users*requestsEach/10 {
			t.Errorf("an agent got %d of %d requests", received, users*requestsEach)
		}
		a.atRest(received, oneTarget)
		a.inPeace()
	}
	sampled := checkSampled(t, target, users, requestsEach)

	var died atomic.Int64 // the number of the first request after it
	var traffic sync.WaitGroup
	traffic.Go(func() {
		c.run(20, func(n int64) bool { return died.Load() == 0 || n < died.Load()+users*requestsEach }, byUser(users))
	})
	start := c.sent.Load()
	eventually(t, "there is traffic", func() bool { return c.sent.Load() > start+200 })
	_ = agents[0].process.Process.Kill()
	<-agents[0].exited
	died.Store(c.sent.Load())
	traffic.Wait()
	if len(c.failed) > 0 {
		t.Errorf("production failed: %v", c.failed)
	}
	for _, a := range agents[1:] {
		a.atRest(a.counters().Count("mirrorgate_requests_received_total"), oneTarget)
	}
	c.onceOf(t, died.Load(), func(n int64) bool { return sampled[fmt.Sprintf("user-%d", n%users)] > 0 }, target)
}

// Two HAProxies share an agent: they number their streams alike, and it mirrors
// the requests of both.
func TestHAProxyTwoProxies(t *testing.T) {
	const users, requestsEach = 1000, 3
	target := startRecorder(t)
	agents, addrs := startSampled(t, 1, target)
	var traffic sync.WaitGroup
	crowds := [2]*crowd{}
	for i := range crowds {
		p := startInterop(t, proxyOptions{threads: 2, mode: "tcp"}, addrs...)
		crowds[i] = newCrowd(p.addr)
		traffic.Go(func() { crowds[i].run(20, upTo(users*requestsEach), byUser(users)) })
	}
	traffic.Wait()
	for _, c := range crowds {
		c.unharmed(t)
	}
	agents[0].atRest(2*users*requestsEach, oneTarget)
	agents[0].inPeace()
	checkSampled(t, target, users, 2*requestsEach)
	lines := map[string]int{}
	for _, r := range target.all() {
		lines[r.line]++
	}
	for line, n := range lines {
		if n != 2 {
			t.Errorf("%s arrived %d times from two HAProxies", line, n)
		}
	}
}
