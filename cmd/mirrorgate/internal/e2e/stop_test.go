package e2e

import (
	"net/http"
	"regexp"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/mirrorgate/mirrorgate/bench"
	"github.com/mirrorgate/mirrorgate/cmd/internal/haproxy"
)

// noServer is the error of SPOE if no agent is up.
func noServer() string {
	if proxyVersion.Mux() {
		return "257"
	}
	return "2"
}

// checkLetGo checks the errors that HAProxy's filter saw at a stop: no server
// is up, or the connection was ended (256), and the request went
// on at once. 1 is one that waited in vain. That must not be for an ACK; but when
// the connections end under load, HAProxy 2.6 leaves requests waiting that it
// never sent: in its log the second time, spent in the queue, is then -1.
func checkLetGo(t *testing.T, spoe map[string]int, log *haproxy.Output) {
	t.Helper()
	neverSent := 0
	for _, m := range regexp.MustCompile(`SPOE: .* st=1 -?\d+/(-?\d+)/`).FindAllStringSubmatch(log.String(), -1) {
		if m[1] != "-1" {
			t.Errorf("a NOTIFY was not acknowledged: %s", m[0])
		}
		neverSent++
	}
	for code, n := range spoe {
		if code != noServer() && code != "256" && !(code == "1" && n == neverSent) {
			t.Errorf("%d requests have the error %s of SPOE; %d were never sent", n, code, neverSent)
		}
	}
}

// A stop in the middle of traffic: HAProxy waits for nothing, what can be sent is
// sent, what cannot is counted, and the exit code is 0.
func TestHAProxyStopUnderLoad(t *testing.T) {
	good := startRecorder(t)
	slow, err := bench.ListenSink("127.0.0.1:0", bench.SinkDelay, 20*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(slow.Close)
	const clients = 20
	a := startAgent(t, "--drain", "4s", "--target", "good="+good.url(),
		"--target", "slow=http://"+slow.Addr()+",conns=1,batch=1,max-age=60s")
	// With checks it would depend on their timing how long HAProxy sends requests.
	p := startInterop(t, proxyOptions{threads: 2, mode: "tcp", check: "check inter 1h"}, a.spop)
	c := newCrowd(p.addr)
	var ended atomic.Bool
	var traffic sync.WaitGroup
	traffic.Go(func() {
		c.run(clients, func(int64) bool { return !ended.Load() }, func(int64, *fasthttp.Request) {
			time.Sleep(5 * time.Millisecond) // so that the log is not flooded while there is no server
		})
	})
	defer traffic.Wait()
	defer ended.Store(true)
	eventually(t, "a queue at the slow target", func() bool { return c.sent.Load() > 1000 })
	if status, _ := a.get("/readyz"); status != http.StatusOK {
		t.Errorf("/readyz says %d before the stop", status)
	}
	_ = a.process.Process.Signal(syscall.SIGTERM)
	eventually(t, "/readyz says so", func() bool {
		resp, err := http.Get("http://" + a.admin + "/readyz")
		if err == nil {
			resp.Body.Close()
		}
		return err == nil && resp.StatusCode == http.StatusServiceUnavailable
	})
	received := a.counters().Count("mirrorgate_requests_received_total")
	eventually(t, "mirrorgate has ended", a.gone)
	ended.Store(true)
	traffic.Wait()
	// Without ACKs each client would get through once at most.
	if served := a.receivedAtEnd() - received; served < 5*clients {
		t.Errorf("HAProxy was served %d times while mirrorgate drained", served)
	}

	if a.exitCode != 0 {
		t.Errorf("exit code is %d, want 0: %s", a.exitCode, a.log)
	}
	if len(c.failed) > 0 {
		t.Errorf("production failed: %v", c.failed)
	}
	checkLetGo(t, c.spoe, p.Output())
	checkFinalCounts(t, a, good.count(), int(slow.Requests()))
}

func checkFinalCounts(t *testing.T, a *agent, good, slow int) {
	t.Helper()
	counts := map[string]map[string]any{}
	for _, record := range a.log.all("requests") {
		if name, ok := record["target"].(string); ok {
			counts[name] = record
		}
	}
	number := func(target, key string) int {
		n, _ := counts[target][key].(float64)
		return int(n)
	}
	group := func(target, key string) (sum int, by map[string]any) {
		by, _ = counts[target][key].(map[string]any)
		for _, n := range by {
			sum += int(n.(float64))
		}
		return sum, by
	}
	for target, arrived := range map[string]int{"good": good, "slow": slow} {
		responses, _ := group(target, "responses")
		errors, kinds := group(target, "errors")
		dropped, reasons := group(target, "dropped")
		sent := number(target, "sent")
		if number(target, "selected") != sent+dropped || sent != responses+errors {
			t.Errorf("target %s: the sums are wrong: %v", target, counts[target])
		}
		if sent != arrived {
			t.Errorf("target %s: %d sent, %d arrived", target, sent, arrived)
		}
		if target == "good" && (dropped > 0 || errors > 0) {
			t.Errorf("the good target lost requests: dropped %v, errors %v", reasons, kinds)
		}
		if n, _ := reasons["shutdown"].(float64); target == "slow" && n == 0 {
			t.Errorf("nothing was dropped for the shutdown: %v", reasons)
		}
	}
}

// Idle connections and no traffic: the stop does not wait for the time it has.
func TestHAProxyStopAtRest(t *testing.T) {
	origin, target := startRecorder(t), startRecorder(t)
	a := startAgent(t, "--drain", "10m", "--target", target.url())
	c := newCrowd(startProxy(t, sizedSPOE, origin.addr(), a))
	c.run(5, upTo(100), nil)
	c.unharmed(t)
	a.atRest(100, oneTarget)
	_ = a.process.Process.Signal(syscall.SIGTERM)
	eventually(t, "mirrorgate has ended", a.gone)
	if a.exitCode != 0 {
		t.Errorf("exit code is %d, want 0: %s", a.exitCode, a.log)
	}
}

// Whoever is in a hurry signals twice.
func TestSecondSignalStopsAtOnce(t *testing.T) {
	hang, err := bench.ListenSink("127.0.0.1:0", bench.SinkHang, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(hang.Close)
	origin := startRecorder(t)
	a := startAgent(t, "--drain", "10m", "--timeout", "10m", "--target", "http://"+hang.Addr())
	c := newCrowd(startProxy(t, sizedSPOE, origin.addr(), a))
	c.run(1, upTo(1), nil)
	eventually(t, "the target has the request", func() bool { return hang.Requests() == 1 })
	_ = a.process.Process.Signal(syscall.SIGTERM)
	eventually(t, "mirrorgate is stopping", func() bool { return len(a.log.all("stopping")) == 1 })
	_ = a.process.Process.Signal(syscall.SIGINT)
	eventually(t, "mirrorgate has ended", a.gone)
	if a.exitCode != exitFailed {
		t.Errorf("exit code is %d, want %d", a.exitCode, exitFailed)
	}
}
