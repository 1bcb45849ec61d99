package e2e

import (
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/readings"
)

// fault is something that goes wrong under steady load, with a real HAProxy in
// front. The reference's table "tested" has a row for each.
type fault struct {
	name     string
	injected string // how, for the table
	seen     string // what the test asserts, for the table
	test     func(t *testing.T)
	by       string // the name of the test that shows it, if it is not here
}

func faults() []fault {
	return slices.Concat(targetFaults(), hostFaults(), gatewayFaults())
}

func TestFaults(t *testing.T) {
	for _, f := range faults() {
		if f.test != nil {
			t.Run(f.name, f.test)
		}
	}
}

// longRun makes the suite go on for longer, see make faults.
func longRun() bool { return os.Getenv("E2E_LONG") != "" }

// stretch is how many requests production sends in each phase of a fault.
func stretch() int64 {
	if longRun() {
		return 10_000
	}
	return 400
}

// scene is a gateway under steady load: HAProxy, an origin, mirrorgate, and a
// good target that gets everything.
type scene struct {
	*testing.T
	agent *agent
	proxy *interop
	crowd *crowd
	good  *recorder

	stopped chan struct{}
	traffic sync.WaitGroup
}

// level is what must come back to where it was, less what connections cost: a
// descriptor each. Those that are idle have no goroutine.
type level struct{ goroutines, files, memory int64 }

func (a *agent) level() level {
	c := a.counters()
	targets, spop := c.Count("mirrorgate_target_connections"), c.Count("mirrorgate_spop_connections")
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", a.process.Process.Pid))
	if err != nil {
		a.t.Fatal(err)
	}
	return level{
		goroutines: c.Count("go_goroutines"),
		files:      int64(len(files)) - targets - spop,
		memory:     c.Count("process_resident_memory_bytes"),
	}
}

// goodTarget starts the target that gets everything, as options of an agent.
func goodTarget(t *testing.T) (*recorder, []string) {
	r := startRecorder(t)
	return r, []string{"--target", "good=" + r.url() + ",conns=8,queue=100000,max-age=5m,timeout=1m"}
}

// victimOptions are those of a target that will fail.
func victimOptions(addr string) []string {
	return []string{"--target", "victim=http://" + addr + ",conns=4,queue=64,timeout=500ms,max-age=2s"}
}

// underFault plays a scene: some traffic before, inject under load, and
// everything checked after.
func underFault(t *testing.T, a *agent, good *recorder, inject func(s *scene)) {
	t.Helper()
	s := &scene{T: t, agent: a, good: good, stopped: make(chan struct{})}
	s.proxy = startInterop(t, proxyOptions{threads: 2, mode: "tcp"}, a.spop)
	s.crowd = newCrowd(s.proxy.addr)
	s.crowd.run(10, upTo(stretch()), nil)
	s.checkSums()
	before := a.level()
	s.traffic.Go(s.drive)
	inject(s)
	close(s.stopped)
	s.traffic.Wait()
	s.crowd.unharmed(t)
	s.checkSums()
	s.crowd.onceSince(t, 0, good)
	a.returnsTo(before)
	s.crowd.print(t)
}

// drive lets clients send until the scene ends, each with a breath in between.
func (s *scene) drive() {
	on := func(int64) bool {
		select {
		case <-s.stopped:
			return false
		default:
			return true
		}
	}
	s.crowd.run(10, on, func(int64, *fasthttp.Request) { time.Sleep(time.Millisecond) })
}

// produce waits until production has sent some more: whatever is wrong, it goes on.
func (s *scene) produce() {
	s.Helper()
	want := s.crowd.sent.Load() + stretch()
	eventually(s.T, "production goes on", func() bool { return s.crowd.sent.Load() >= want })
}

// checkSums waits until all is done and checks the sums to the last request.
func (s *scene) checkSums() {
	s.Helper()
	groups := map[string][]string{}
	for name := range s.agent.counters().By("target", "mirrorgate_target_batch_limit") {
		groups[name] = []string{name}
	}
	s.agent.atRest(s.crowd.sent.Load(), groups)
}

// returnsTo checks that nothing is left of what happened since. Memory is given
// some room, which the race detector multiplies.
func (a *agent) returnsTo(before level) {
	a.t.Helper()
	const room = 64 << 20
	const spare = 6 // more workers may sleep than before
	var now level
	eventually(a.t, "goroutines, descriptors and memory are as before", func() bool {
		now = a.level()
		return now.goroutines <= before.goroutines+spare && now.files <= before.files+2 && now.memory <= before.memory+room
	})
	if held := a.counters().Count("mirrorgate_payload_bytes"); held != 0 {
		a.t.Errorf("%d bytes of payload are still held", held)
	}
	a.t.Logf("goroutines %d → %d, descriptors %d → %d, memory %d → %d MiB", before.goroutines, now.goroutines,
		before.files, now.files, before.memory>>20, now.memory>>20)
}

// print shows production's latencies; they are for whoever reads, on a machine
// that does other things as well.
func (c *crowd) print(t *testing.T) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := func(q float64) time.Duration {
		return (time.Duration(c.latency.ValueAtQuantile(q)) * time.Microsecond).Round(10 * time.Microsecond)
	}
	t.Logf("production: %d requests, p50 %v, p99 %v, slowest %v", c.sent.Load(), at(50), at(99), c.slowest.Round(time.Millisecond))
}

// count waits until the agent has counted something of the victim.
func (s *scene) count(what, family string, labels ...readings.Label) {
	s.Helper()
	eventually(s.T, what, func() bool {
		return s.agent.counters().Count(family, append(labels, readings.Target("victim"))...) > 0
	})
}

func (s *scene) dropped(reason string) {
	s.Helper()
	s.count("drops for "+reason, "mirrorgate_target_dropped_total", readings.Of("reason", reason))
}

func (s *scene) failed(kind string) {
	s.Helper()
	s.count("errors of kind "+kind, "mirrorgate_target_errors_total", readings.Of("kind", kind))
}

// recovers waits until the victim responds again.
func (s *scene) recovers() {
	s.Helper()
	answered := func() int64 {
		return s.agent.counters().Count("mirrorgate_target_responses_total", readings.Target("victim"))
	}
	before := answered()
	eventually(s.T, "the victim is mirrored to again", func() bool { return answered() > before+50 })
}
