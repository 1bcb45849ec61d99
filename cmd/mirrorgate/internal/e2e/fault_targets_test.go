package e2e

import (
	"net"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mirrorgate/mirrorgate/bench"
	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/readings"
)

// targetFaults are those of one target, beside a good one that gets everything.
func targetFaults() []fault {
	const harmless = "the other target got everything once; "
	return []fault{
		{name: "target killed", injected: "SIGKILL to the target's process, started again later",
			seen: harmless + "the breaker opened, and closed when it was back", test: testTargetKilled},
		{name: "target stopped", injected: "SIGSTOP to the target's process, SIGCONT later",
			seen: harmless + "`timeout`, then `breaker`; mirrored to again after SIGCONT", test: testTargetStopped},
		{name: "target slow", injected: "the target takes 200 ms for each response",
			seen: harmless + "`queue_full`, and what was sent got its response", test: testTargetSlow},
		{name: "target half-open", injected: "the target's sockets vanish without FIN or RST (TCP_REPAIR)",
			seen: harmless + "what was in flight ended as `timeout` or `reset`; mirrored to again over new connections", test: testTargetHalfOpen},
		{name: "target resets", injected: "RST for each connection, after its first request",
			seen: harmless + "`reset`, then `breaker`", test: testTargetResets},
		{name: "target refuses", injected: "nobody listens on the target's port, later somebody does",
			seen: harmless + "`dial`, then `breaker`; mirrored to once somebody listens", test: testTargetRefuses},
	}
}

func testTargetKilled(t *testing.T) {
	victim := startSink(t, ownAddress())
	good, options := goodTarget(t)
	a := startAgent(t, append(options, victimOptions(victim.addr)...)...)
	underFault(t, a, good, func(s *scene) {
		victim.signal(syscall.SIGKILL)
		s.dropped("breaker")
		s.produce()
		startSink(t, victim.addr)
		s.recovers()
		eventually(t, "the log tells both", func() bool {
			return len(a.log.all("breaker opened: dropping requests until the target answers")) > 0 &&
				len(a.log.all("breaker closed: the target answers again")) > 0
		})
	})
}

func testTargetStopped(t *testing.T) {
	victim := startSink(t, ownAddress())
	good, options := goodTarget(t)
	a := startAgent(t, append(options, victimOptions(victim.addr)...)...)
	underFault(t, a, good, func(s *scene) {
		victim.signal(syscall.SIGSTOP)
		s.failed("timeout")
		s.dropped("breaker")
		s.produce()
		victim.signal(syscall.SIGCONT)
		s.recovers()
	})
}

func testTargetSlow(t *testing.T) {
	victim, err := bench.ListenSink("127.0.0.1:0", bench.SinkDelay, 200*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(victim.Close)
	good, options := goodTarget(t)
	a := startAgent(t, append(options, "--target", "victim=http://"+victim.Addr()+",conns=8,batch=1,queue=16,timeout=1m,max-age=1m")...)
	underFault(t, a, good, func(s *scene) {
		s.dropped("queue_full")
		s.produce()
	})
	c := a.counters()
	if sent, answered := c.Count("mirrorgate_target_sent_total", readings.Target("victim")),
		c.Count("mirrorgate_target_responses_total", readings.Target("victim")); sent != answered || sent != int64(victim.Requests()) {
		t.Errorf("%d sent, %d answered, %d arrived", sent, answered, victim.Requests())
	}
}

func testTargetHalfOpen(t *testing.T) {
	victim := serveRecorder(t, &recorder{})
	good, options := goodTarget(t)
	a := startAgent(t, append(options, victimOptions(victim.addr())...)...)
	underFault(t, a, good, func(s *scene) {
		for range 3 {
			s.produce()
			victim.vanish(t)
			s.recovers()
		}
	})
	lost := a.counters().By("kind", "mirrorgate_target_errors_total", readings.Target("victim"))
	delete(lost, "timeout")
	delete(lost, "reset")
	if len(lost) > 0 {
		t.Errorf("errors at the victim: %v", lost)
	}
}

// vanish makes the recorder's connections disappear as when its host lost power:
// the kernel forgets them and tells nobody. Without the privilege they are reset.
func (r *recorder) vanish(t *testing.T) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for conn := range r.conns {
		raw, err := conn.(*net.TCPConn).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		_ = raw.Control(func(fd uintptr) { // fails if it is closed
			if err := unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_REPAIR, 1); err != nil {
				_ = unix.SetsockoptLinger(int(fd), unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
			}
		})
		conn.Close()
		delete(r.conns, conn)
	}
}

func testTargetResets(t *testing.T) {
	victim, err := bench.ListenSink("127.0.0.1:0", bench.SinkReset, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(victim.Close)
	good, options := goodTarget(t)
	a := startAgent(t, append(options, victimOptions(victim.Addr())...)...)
	underFault(t, a, good, func(s *scene) {
		s.failed("reset")
		s.dropped("breaker")
		s.produce()
	})
}

func testTargetRefuses(t *testing.T) {
	gone := startSink(t, ownAddress())
	gone.signal(syscall.SIGKILL)
	good, options := goodTarget(t)
	a := startAgent(t, append(options, victimOptions(gone.addr)...)...)
	underFault(t, a, good, func(s *scene) {
		s.dropped("dial")
		s.dropped("breaker")
		s.produce()
		startSink(t, gone.addr)
		s.recovers()
	})
}
