package e2e

import (
	"fmt"
	"maps"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// gatewayFaults are those of mirrorgate itself and of HAProxy.
func gatewayFaults() []fault {
	return []fault{
		{name: "mirrorgate killed", injected: "SIGKILL, with the check and time-outs that README gives, started again later",
			seen: "what arrived was sent by HAProxy, each at most once; no request waited for an ACK after the check had noticed", test: testGatewayKilled},
		{name: "mirrorgate restarted under load", injected: "SIGTERM and a new start, three times",
			seen: "what HAProxy handed over was mirrored once, sums exact at each end", test: testGatewayRestarted},
		{name: "one of two agents killed", injected: "SIGKILL under load",
			seen: "the other agent mirrored each request from then on", by: "TestHAProxyAgentDies"},
		{name: "HAProxy reloaded", injected: "`haproxy -sf`, three times under load",
			seen: "everything was mirrored once, no error on either side", by: "TestHAProxyReloads"},
		{name: "HAProxy stopped hard", injected: "SIGTERM to HAProxy under load",
			seen: "what HAProxy had handed over was mirrored once; no connection is left", by: "TestHAProxyStops"},
	}
}

// readmeSPOE has the time-out and the guard of README's configuration.
var readmeSPOE = strings.NewReplacer(
	"timeout processing 5s", "timeout processing "+readmeProcessing.String(),
	"on-frontend-http-request", "on-frontend-http-request if { nbsrv(mirroragents) gt 0 }",
).Replace(sizedSPOE)

const (
	readmeProcessing = 20 * time.Millisecond
	readmeCheck      = "check inter 1s fall 2"
)

// testGatewayKilled shows what production pays until HAProxy's check has noticed
// that mirrorgate is gone: each request waits for as long as timeout processing
// says, and no longer.
func testGatewayKilled(t *testing.T) {
	good, options := goodTarget(t)
	socket := t.TempDir() + "/spop.sock"
	start := func() *agent { return startAgent(t, append(options, "--listen", "unix:"+socket)...) }
	a := start()
	p := startInterop(t, proxyOptions{threads: 2, mode: "tcp", spoe: readmeSPOE, check: readmeCheck}, "unix@"+socket)
	s := &scene{T: t, agent: a, proxy: p, crowd: newCrowd(p.addr), good: good, stopped: make(chan struct{})}
	s.traffic.Go(s.drive)
	s.produce()

	killed := time.Now()
	_ = a.process.Process.Kill()
	<-a.exited
	eventually(t, "HAProxy has noticed", func() bool { return p.serverStatus(t) == "DOWN" })
	t.Logf("HAProxy noticed after %v (%s)", time.Since(killed).Round(10*time.Millisecond), readmeCheck)
	waited := s.crowd.errors()
	s.produce()
	for code, n := range s.crowd.errors() {
		// A request may have begun to wait before, one for each client.
		if code != noServer() && n > waited[code]+10 {
			t.Errorf("%d requests had the error %s of SPOE after HAProxy had noticed", n-waited[code], code)
		}
	}
	start()
	eventually(t, "HAProxy has noticed that it is back", func() bool { return p.serverStatus(t) == "UP" })
	back := s.crowd.sent.Load() + 10
	s.produce()
	close(s.stopped)
	s.traffic.Wait()

	if len(s.crowd.failed) > 0 {
		t.Errorf("production failed: %v", s.crowd.failed)
	}
	eventually(t, "all has arrived", func() bool { return s.crowd.arrived(back, good) })
	s.crowd.onceSince(t, back, good)
	t.Logf("the slowest wait for an ACK took %v by HAProxy's log, timeout processing is %v", slowestWait(p), readmeProcessing)
	s.crowd.print(t)
}

// slowestWait is the longest time that HAProxy's filter took for a request that
// had an error: the last one of the times in its log.
func slowestWait(p *interop) (slowest time.Duration) {
	for _, m := range regexp.MustCompile(`SPOE: .* st=\d+ (?:-?\d+/)+(-?\d+) `).FindAllStringSubmatch(p.Output().String(), -1) {
		ms, _ := strconv.Atoi(m[1])
		slowest = max(slowest, time.Duration(ms)*time.Millisecond)
	}
	return slowest
}

func testGatewayRestarted(t *testing.T) {
	good, options := goodTarget(t)
	socket := t.TempDir() + "/spop.sock"
	start := func() *agent { return startAgent(t, append(options, "--listen", "unix:"+socket, "--drain", "2s")...) }
	a := start()
	p := startInterop(t, proxyOptions{threads: 2, mode: "tcp"}, "unix@"+socket)
	s := &scene{T: t, agent: a, proxy: p, crowd: newCrowd(p.addr), good: good, stopped: make(chan struct{})}
	s.traffic.Go(s.drive)
	received := int64(0)
	for range 3 {
		s.produce()
		_ = a.process.Process.Signal(syscall.SIGTERM)
		eventually(t, "mirrorgate has ended", a.gone)
		if a.exitCode != 0 {
			t.Errorf("exit code is %d, want 0: %s", a.exitCode, a.log)
		}
		received += a.receivedAtEnd()
		a.checkEnd()
		a = start()
		eventually(t, "HAProxy has noticed that it is back", func() bool { return p.serverStatus(t) == "UP" })
	}
	s.produce()
	close(s.stopped)
	s.traffic.Wait()
	if len(s.crowd.failed) > 0 {
		t.Errorf("production failed: %v", s.crowd.failed)
	}
	counters := a.atRest(a.counters().Count("mirrorgate_requests_received_total"), map[string][]string{"good": {"good"}})
	received += counters.Count("mirrorgate_requests_received_total")
	if arrived := int64(good.count()); arrived != received {
		t.Errorf("%d arrived at the target, the agents received %d", arrived, received)
	}
	s.crowd.onceSince(t, 0, good)
	s.crowd.print(t)
}

// checkEnd checks the sums in the log's last lines.
func (a *agent) checkEnd() {
	a.t.Helper()
	for _, record := range a.log.all("requests") {
		if name, ok := record["target"].(string); ok {
			selected, sent := record["selected"].(float64), record["sent"].(float64)
			if sent != selected || record["errors"] != nil {
				a.t.Errorf("target %s: %v", name, record)
			}
		}
	}
}

// errors are those of SPOE up to now.
func (c *crowd) errors() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.spoe)
}

// arrived reports whether all requests from the given one on, of which HAProxy
// had no error, have arrived.
func (c *crowd) arrived(since int64, target *recorder) bool {
	lines := map[string]bool{}
	for _, r := range target.all() {
		lines[r.line] = true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for n := since; n < c.sent.Load(); n++ {
		if !c.unsure[n] && !lines[fmt.Sprintf("GET /%d HTTP/1.1", n)] {
			return false
		}
	}
	return true
}
