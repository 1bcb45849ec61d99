package e2e

import (
	"crypto/rand"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/mirrorgate/mirrorgate/bench"
	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/readings"
)

// Whatever a target does, production and the other targets must not notice: a
// request that waited for the target would take its time-out of 20 seconds.
func TestBrokenTargetHarmsNobody(t *testing.T) {
	const total = 2000
	down, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	down.Close()
	sink := func(mode bench.SinkMode) string {
		s, err := bench.ListenSink("127.0.0.1:0", mode, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		return s.Addr()
	}
	f := func(name, broken, keys string, outcome func(readings.Reading) int64) {
		t.Run(name, func(t *testing.T) {
			origin, good := startRecorder(t), startRecorder(t)
			a := startAgent(t, "--target", "good="+good.url(), "--target", "broken=http://"+broken+",conns=4"+keys, "--timeout", "20s", "--drain", "1s")
			c := newCrowd(startProxy(t, documentedSPOE, origin.addr(), a))
			c.run(20, upTo(total), nil)
			c.unharmed(t)
			if c.slowest > 10*time.Second {
				t.Errorf("a request took %v", c.slowest)
			}
			eventually(t, "the good target got everything", func() bool { return good.count() >= total })
			if good.count() != total || origin.count() != total {
				t.Errorf("%d arrived at the good target, %d at the origin, want %d", good.count(), origin.count(), total)
			}
			if got := a.counters().Count("mirrorgate_target_responses_total", readings.Target("broken")); got != 0 {
				t.Errorf("the broken target answered %d", got)
			}
			eventually(t, "what went wrong is counted", func() bool { return outcome(a.counters()) > 0 })
		})
	}
	dropped := func(reason string) func(readings.Reading) int64 {
		return func(c readings.Reading) int64 {
			return c.Count("mirrorgate_target_dropped_total", readings.Target("broken"), readings.Of("reason", reason))
		}
	}
	f("down", down.Addr().String(), "", func(c readings.Reading) int64 {
		return min(dropped("dial")(c), dropped("breaker")(c))
	})
	f("hanging: the queue is full", sink(bench.SinkHang), ",queue=50", dropped("queue_full"))
	f("hanging: what waits is stale", sink(bench.SinkHang), ",timeout=2s,max-age=1s", dropped("stale"))
	f("resetting", sink(bench.SinkReset), "", func(c readings.Reading) int64 {
		return c.Count("mirrorgate_target_errors_total", readings.Target("broken"), readings.Of("kind", "reset"))
	})
}

// Whatever comes to the port, HAProxy is served.
func TestHAProxyGarbageHarmsNobody(t *testing.T) {
	origin, target := startRecorder(t), startRecorder(t)
	a := startAgent(t, "--target", target.url())
	addr := startProxy(t, sizedSPOE, origin.addr(), a)
	random := make([]byte, 100_000)
	rand.Read(random)
	for _, garbage := range []string{
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + string(random[:512]), // TLS
		"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n",
		"\xff\xff\xff\xff" + string(random),
		"\x7f\xff\xff\xff" + string(random),
		"\x00\x00\x00\x00",
		string(random),
	} {
		sendGarbage(t, a.spop, garbage)
	}
	for range 500 {
		sendGarbage(t, a.spop, "")
	}
	c := newCrowd(addr)
	c.run(20, upTo(1000), nil)
	c.unharmed(t)
	a.atRest(1000, oneTarget)
	const limit = 512 << 20 // with the race detector, which multiplies it
	if rss := a.counters().Count("process_resident_memory_bytes"); rss == 0 || rss > limit {
		t.Errorf("mirrorgate holds %d bytes, want at most %d", rss, limit)
	}
	if c := a.counters(); c.Count("mirrorgate_spop_errors_total") == 0 {
		t.Errorf("no connection was ended for an error: %v", c.By("code", "mirrorgate_spop_errors_total"))
	}
}

// sendGarbage leaves its connection open until the test ends.
func sendGarbage(t *testing.T, addr, garbage string) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	// It may be cut off in the middle.
	_, _ = conn.Write([]byte(strings.Clone(garbage)))
}
