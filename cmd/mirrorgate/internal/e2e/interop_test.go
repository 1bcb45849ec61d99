package e2e

import (
	"fmt"
	"testing"
)

// What the clients do and how HAProxy spreads it: production answers everything,
// and each request is mirrored once.
func TestHAProxyConcurrency(t *testing.T) {
	for _, mode := range agentModes() {
		for _, threads := range []int{1, 2} {
			target := startRecorder(t)
			a := startAgent(t, "--target", target.url())
			p := startInterop(t, proxyOptions{threads: threads, mode: mode}, a.spop)
			c := newCrowd(p.addr)
			f := func(clients int, total int64) {
				t.Run(fmt.Sprintf("mode %s, %d threads, %d clients", mode, threads, clients), func(t *testing.T) {
					c.run(clients, upTo(c.sent.Load()+total), nil)
					c.unharmed(t)
				})
			}
			f(1, 200)
			f(64, 3000)
			f(400, 3000)
			a.atRest(c.sent.Load(), oneTarget)
			c.onceSince(t, 0, target)
			p.Stop()
			eventually(t, "all connections are closed", func() bool { return a.counters().Count("mirrorgate_spop_connections") == 0 })
			a.inPeace()
			p.inPeace(t)
		}
	}
}
