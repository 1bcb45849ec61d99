//go:build kafka

package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mirrorgate/mirrorgate/fanout/record/kafka"
)

// brokers is a cluster that .ci/kafka has started.
type brokers struct {
	t       *testing.T
	folder  string
	address string
}

func startBrokers(t *testing.T, n int) brokers {
	t.Helper()
	script := filepath.Join("..", "..", "..", "..", ".ci", "kafka")
	run := func(args ...string) string {
		command := exec.Command(script, args...)
		command.Stderr = os.Stderr
		out, err := command.Output()
		if err != nil {
			t.Fatalf("%s %q: %v", script, args, err)
		}
		return strings.TrimSpace(string(out))
	}
	return brokers{t, run("dir", strconv.Itoa(n)), run(strconv.Itoa(n))}
}

// kill ends a broker as a power failure would; restart brings it back.
func (b brokers) kill(n int) {
	b.t.Helper()
	text, err := os.ReadFile(filepath.Join(b.folder, strconv.Itoa(n), "pid"))
	if err != nil {
		b.t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err == nil {
		err = syscall.Kill(pid, syscall.SIGKILL)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b brokers) restart(n int) {
	b.t.Helper()
	if out, err := exec.Command(filepath.Join(b.folder, strconv.Itoa(n), "run")).CombinedOutput(); err != nil {
		b.t.Fatalf("%v: %s", err, out)
	}
}

// topic is the URL of one that has not been there.
func (b brokers) topic() string {
	return fmt.Sprintf("kafka://%s/%s-%d", b.address, strings.ToLower(b.t.Name()), time.Now().UnixNano())
}

// numbersOfTopic returns how often each request is there.
func numbersOfTopic(t *testing.T, url string) map[int]int {
	t.Helper()
	address, err := kafka.Parse(url)
	if err != nil {
		t.Fatal(err)
	}
	r, err := kafka.Open(kafka.Config{Address: address})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	counts := map[int]int{}
	for _, n := range numbersOf(t, r) {
		counts[n]++
	}
	return counts
}

func recordedBy(a *agent) int {
	return int(a.value(`mirrorgate_target_responses_total{code="recorded"}`))
}

// send sends requests from..to in steps, until stop says so, and returns how many.
func (c *spopClient) send(t *testing.T, from, to int, pause time.Duration, stop func() bool) int {
	t.Helper()
	for from < to && !stop() {
		n := min(50, to-from)
		for i := range n {
			c.notify(numbered(from + i))
		}
		if err := errors.Join(c.flush(), c.acked(n)); err != nil {
			t.Fatal(err)
		}
		from += n
		time.Sleep(pause)
	}
	return from
}

func never() bool { return false }

// Two replays in one group share what was recorded; one is killed, and the other
// finishes: nothing is missing.
func TestKafkaGroup(t *testing.T) {
	url := startBrokers(t, 1).topic()
	a := startAgent(t, "--sample-by", "cookie:user", "--target", "log="+url)
	const n = 5000
	a.client().send(t, 0, n, 2*time.Millisecond, never)
	a.atRest(n, map[string][]string{"log": {"log"}})
	if got := recordedBy(a); got != n {
		t.Fatalf("%d of %d recorded", got, n)
	}
	a.stop(t)
	for i, count := range numbersOfTopic(t, url) {
		if count != 1 {
			t.Fatalf("request %d is there %d times", i, count)
		}
	}

	sink := startRecorder(t)
	member := func() *agent {
		return runAgent(t, []string{binary, "replay", url, "--group", "try", "--speed", "1x", "--target", "v2=" + sink.url(), "--timeout", "1s"}, os.Stderr)
	}
	first, second := member(), member()
	patiently(t, "both play", func() bool { return len(sink.all()) > n/10 })
	_ = first.process.Process.Signal(syscall.SIGKILL)
	<-first.exited
	patiently(t, "the other finishes", second.gone)
	if second.exitCode != 0 {
		t.Errorf("exit code %d", second.exitCode)
	}
	got := map[string]int{}
	for _, r := range sink.all() {
		got[r.line]++
	}
	if len(got) != n {
		t.Errorf("%d of %d requests arrived", len(got), n)
	}
}

// patiently is eventually, for what takes the time limits of Kafka.
func patiently(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !condition(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after 2 minutes still not: %s", what)
		}
	}
}

// Of three brokers any may be killed, leaders too, and come back: nothing that was
// counted as recorded is lost, and nothing is there twice.
func TestKafkaBrokerIsKilled(t *testing.T) {
	b := startBrokers(t, 3)
	url := b.topic()
	a := startAgent(t, "--queue", "65536", "--max-age", "1m", "--drain", "1m", "--target", "log="+url)
	c := a.client()
	_ = c.conn.SetDeadline(time.Now().Add(5 * time.Minute))
	sent := c.send(t, 0, 500, 5*time.Millisecond, never)
	patiently(t, "the first are recorded", func() bool { return recordedBy(a) == sent })
	for n := 1; n <= 3; n++ {
		b.kill(n)
		sent = c.send(t, sent, sent+500, 5*time.Millisecond, never)
		patiently(t, "the others go on", func() bool { return recordedBy(a) > sent-500 })
		b.restart(n)
		patiently(t, "all are recorded", func() bool { return recordedBy(a) == sent })
	}
	a.atRest(int64(sent), map[string][]string{"log": {"log"}})
	a.stop(t)
	got := numbersOfTopic(t, url)
	for i := range sent {
		if got[i] != 1 {
			t.Errorf("request %d is there %d times", i, got[i])
		}
	}
}

// A broker that is away fills the queue, then drops by name; memory stays in bounds,
// other targets get everything, and recording goes on by itself.
func TestKafkaBrokerIsAway(t *testing.T) {
	b := startBrokers(t, 1)
	url := b.topic()
	other := startRecorder(t)
	a := startAgent(t, "--queue", "500", "--max-age", "2s", "--target", "log="+url, "--target", "v2="+other.url())
	c := a.client()
	_ = c.conn.SetDeadline(time.Now().Add(5 * time.Minute))
	sent := c.send(t, 0, 100, 0, never)
	patiently(t, "the first are recorded", func() bool { return recordedBy(a) == sent })
	b.kill(1)
	// What a broker may have, but did not acknowledge, is kept for when it is back; so
	// the queue fills.
	dropped := func() bool { return a.value(`mirrorgate_target_dropped_total{target="log"}`) > 0 }
	sent = c.send(t, sent, sent+100_000, 20*time.Millisecond, dropped)
	if held := a.value("mirrorgate_block_bytes") + a.value("mirrorgate_payload_bytes"); held > 64<<20 {
		t.Errorf("%v bytes are held", held)
	}
	if _, status := a.get("/api/stats"); !strings.Contains(status, `"broker"`) {
		t.Errorf("the status does not name the broker: %s", status)
	}
	b.restart(1)
	before := recordedBy(a)
	patiently(t, "it goes on", func() bool {
		sent = c.send(t, sent, sent+50, 0, never)
		time.Sleep(100 * time.Millisecond)
		return recordedBy(a) > before
	})
	a.atRest(int64(sent), map[string][]string{"log": {"log"}, "v2": {"v2"}})
	if got := len(other.all()); got != sent {
		t.Errorf("the other target got %d of %d", got, sent)
	}
	recorded := recordedBy(a)
	a.stop(t)
	if got := len(numbersOfTopic(t, url)); got < recorded {
		t.Errorf("%d recorded, %d are there", recorded, got)
	}
}
