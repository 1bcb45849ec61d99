//go:build servers

package e2e

import (
	"strconv"
	"testing"

	"github.com/valyala/fasthttp"
)

// The mix comes through HAProxy, and Puma gets each request exactly once.
func TestServersBehindHAProxy(t *testing.T) {
	const total = 1000
	s := startServer(t, realServers()[0].command, "")
	a := startAgent(t, "--target", "t=http://"+s.addr, "--timeout", "60s", "--max-age", "2m")
	p := startInterop(t, proxyOptions{threads: 2, mode: "tcp", bufsize: 128 << 10}, a.spop)
	requests := mix(1, total)
	c := newCrowd(p.addr)
	c.run(20, upTo(total), func(n int64, req *fasthttp.Request) {
		m := requests[n]
		req.SetRequestURI("http://example.com" + m.path())
		req.Header.SetMethod(m.method)
		req.Header.Set("X-Id", strconv.Itoa(m.id))
		req.SetBody(m.body)
	})
	c.unharmed(t)
	counted := a.atRest(total, map[string][]string{"t": {"t"}})
	s.outcome(t, requests, false).checkExact(t, counted)
}
