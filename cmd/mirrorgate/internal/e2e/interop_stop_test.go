package e2e

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/mirrorgate/mirrorgate/cmd/internal/haproxy"
)

// underLoad runs act while clients send, and ends when more says so.
func (c *crowd) underLoad(t *testing.T, clients int, more func() bool, act func()) {
	t.Helper()
	var traffic sync.WaitGroup
	traffic.Go(func() { c.run(clients, func(int64) bool { return more() }, nil) })
	defer traffic.Wait()
	start := c.sent.Load()
	eventually(t, "there is traffic", func() bool { return c.sent.Load() > start+int64(10*clients) })
	act()
}

// warm sends some traffic and returns the level at rest behind it.
func warm(t *testing.T, c *crowd, a *agent) level {
	t.Helper()
	c.run(20, upTo(400), nil)
	c.unharmed(t)
	a.atRest(400, oneTarget)
	return a.level()
}

func ended(p *haproxy.Process) func() bool {
	return func() bool {
		select {
		case <-p.Exited():
			return true
		default:
			return false
		}
	}
}

// HAProxy stops in the middle of traffic. A soft stop loses nothing, neither of
// production nor of the mirror; a hard one cuts both, but nothing is counted
// wrongly, and what it was told is mirrored.
func TestHAProxyStops(t *testing.T) {
	f := func(name string, signal syscall.Signal, lost ...string) {
		t.Run(name, func(t *testing.T) {
			target := startRecorder(t)
			a := startAgent(t, "--target", target.url())
			p := startInterop(t, proxyOptions{threads: 2, mode: "tcp"}, a.spop)
			c := newCrowd(p.addr)
			before := warm(t, c, a)
			refused := func() bool {
				c.mu.Lock()
				defer c.mu.Unlock()
				return len(c.failed) > 0
			}
			c.underLoad(t, 20, func() bool { return !refused() }, func() {
				if err := p.Signal(signal); err != nil {
					t.Error(err)
				}
			})
			eventually(t, "HAProxy has ended", ended(p.Process))
			c.client.CloseIdleConnections()
			for failure := range c.failed {
				if !slices.ContainsFunc(lost, func(s string) bool { return strings.Contains(failure, s) }) {
					t.Errorf("production failed with %q", failure)
				}
			}
			if len(c.spoe) > 0 {
				t.Errorf("errors of SPOE: %v", c.spoe)
			}
			eventually(t, "all connections are closed", func() bool { return a.counters().Count("mirrorgate_spop_connections") == 0 })
			a.atRest(a.counters().Count("mirrorgate_requests_received_total"), oneTarget)
			c.onceSince(t, 0, target)
			a.inPeace()
			a.returnsTo(before)
		})
	}
	f("soft", syscall.SIGUSR1, "refused")
	f("hard", syscall.SIGTERM, "refused", "reset", "closed", "EOF")
}

// Reload after reload, in the middle of traffic, nobody notices.
func TestHAProxyReloads(t *testing.T) {
	const reloads = 3
	target := startRecorder(t)
	a := startAgent(t, "--target", target.url())
	o := proxyOptions{threads: 2, mode: "tcp"}
	p := startInterop(t, o, a.spop)
	c := newCrowd(p.addr)
	before := warm(t, c, a)
	done := make(chan struct{})
	more := func() bool {
		select {
		case <-done:
			return false
		default:
			return true
		}
	}
	c.underLoad(t, 20, more, func() {
		defer close(done)
		running := p.Process
		for range reloads {
			next, err := running.Reload(t.Context(), o.files(p.addr, p.origin.addr(), a.spop))
			if err != nil {
				t.Error(err)
				return
			}
			t.Cleanup(next.Stop)
			eventually(t, "the old one has ended", ended(running))
			running = next
		}
	})
	c.unharmed(t)
	a.atRest(c.sent.Load(), oneTarget)
	c.onceSince(t, 0, target)
	a.inPeace()
	p.inPeace(t)
	a.returnsTo(before)
}

// Connections that nobody needs are closed by HAProxy, each version in its way,
// and the next burst finds new ones.
func TestHAProxyClosesIdleConnections(t *testing.T) {
	target := startRecorder(t)
	a := startAgent(t, "--target", target.url())
	p := startInterop(t, proxyOptions{threads: 2, mode: "tcp", idle: "200ms"}, a.spop)
	c := newCrowd(p.addr)
	connections := func() int64 { return a.counters().Count("mirrorgate_spop_connections") }
	for range 2 {
		c.run(64, upTo(c.sent.Load()+2000), nil)
		// A health check may be among them.
		eventually(t, "the connections have expired", func() bool { return connections() <= 1 })
	}
	c.unharmed(t)
	a.atRest(c.sent.Load(), oneTarget)
	c.onceSince(t, 0, target)
	a.inPeace()
	p.inPeace(t)
}

// An agent goes and comes again, at a unix socket. HAProxy sees it by its check;
// production waits for nothing while it is away.
func TestHAProxyAgentRestarts(t *testing.T) {
	target := startRecorder(t)
	socket := t.TempDir() + "/spop.sock"
	start := func() *agent { return startAgent(t, "--target", target.url(), "--listen", "unix:"+socket) }
	a := start()
	p := startInterop(t, proxyOptions{threads: 2, mode: "tcp"}, "unix@"+socket)
	c := newCrowd(p.addr)
	for range 2 {
		before := c.sent.Load()
		c.run(20, upTo(before+500), nil)
		a.atRest(500, oneTarget)
		a.inPeace()
		c.onceSince(t, before, target)
		if len(c.spoe) > 0 {
			t.Errorf("errors of SPOE with an agent: %v", c.spoe)
		}

		a.stop(t)
		eventually(t, "HAProxy sees that it is down", func() bool { return p.serverStatus(t) == "DOWN" })
		c.run(20, upTo(c.sent.Load()+500), nil)
		if !maps.Equal(c.spoe, map[string]int{noServer(): 500}) {
			t.Errorf("errors of SPOE without an agent: %v", c.spoe)
		}
		clear(c.spoe)

		a = start()
		eventually(t, "HAProxy sees that it is up", func() bool { return p.serverStatus(t) == "UP" })
	}
	if len(c.failed) > 0 {
		t.Errorf("production failed: %v", c.failed)
	}
}

// Two agents, one of which dies at once. Production goes on, and from then on
// each request is mirrored by the other.
func TestHAProxyAgentDies(t *testing.T) {
	target := startRecorder(t)
	dying := startAgent(t, "--target", target.url())
	living := startAgent(t, "--target", target.url())
	p := startInterop(t, proxyOptions{threads: 2, mode: "tcp"}, dying.spop, living.spop)
	c := newCrowd(p.addr)
	c.run(20, upTo(400), nil)
	before := living.level()
	var died atomic.Int64 // the number of the first request after it
	c.underLoad(t, 20, func() bool { return died.Load() == 0 || c.sent.Load() < died.Load()+2000 }, func() {
		_ = dying.process.Process.Kill()
		<-dying.exited
		died.Store(c.sent.Load())
	})
	if len(c.failed) > 0 {
		t.Errorf("production failed: %v", c.failed)
	}
	living.atRest(living.counters().Count("mirrorgate_requests_received_total"), oneTarget)
	c.onceSince(t, died.Load(), target)
	living.inPeace()
	living.returnsTo(before)
	const cut = "257" // its connection broke, or could not be made
	for code, n := range c.spoe {
		if code != cut && code != noServer() {
			t.Errorf("%d requests have the error %s of SPOE", n, code)
		}
	}
}
