package e2e

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/mirrorgate/mirrorgate/bench"
	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/readings"
)

// soakTime is how long the soak goes on, see make soak.
func soakTime(t *testing.T) time.Duration {
	text := os.Getenv("E2E_SOAK")
	if text == "" {
		return 3 * time.Second
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < time.Second {
		t.Fatalf("E2E_SOAK is %q, should be a time from a second on, like 20m", text)
	}
	return d
}

// At half of what the machine can take, for a long time: nothing grows, and the
// counters are exact.
func TestSoak(t *testing.T) {
	duration := soakTime(t)
	withoutRaceDetector(t)
	var sinks [2]*bench.Sink
	for i := range sinks {
		var err error
		if sinks[i], err = bench.ListenSink("127.0.0.1:0", bench.SinkOK, 0); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(sinks[i].Close)
	}
	a := startAgent(t, "--target", "all=http://"+sinks[0].Addr(), "--target", "half=http://"+sinks[1].Addr()+",sample=50%,drop=uniform")
	sent := int64(0)
	drive := func(rate float64, d time.Duration) bench.Traffic {
		load := bench.DefaultLoad
		load.Rate, load.Warmup, load.Duration = rate, 0, d
		g, err := bench.DialGenerator(context.Background(), a.spop, load)
		if err != nil {
			t.Fatal(err)
		}
		traffic, err := g.Run(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		sent += int64(traffic.Sent)
		return traffic
	}
	rest := func() level {
		a.atRest(sent, map[string][]string{"all": {"all"}, "half": {"half"}})
		return a.level()
	}
	const full = 2 * time.Second
	half := float64(drive(0, full).Sent) / full.Seconds() / 2
	const rounds = 10
	var levels [rounds]level
	for i := range levels {
		drive(half, duration/rounds)
		levels[i] = rest()
		t.Logf("%3d%%: %d requests, goroutines %d, descriptors %d, memory %d MiB", 100*(i+1)/rounds, sent,
			levels[i].goroutines, levels[i].files, levels[i].memory>>20)
	}
	first, second := least(levels[:rounds/2]), least(levels[rounds/2:])
	if second.goroutines > first.goroutines+2 || second.files > first.files+2 || second.memory > first.memory+first.memory/10+8<<20 {
		t.Errorf("it grows: at the least %+v in the first half, %+v in the second", first, second)
	}
	c := a.counters()
	for i, name := range []string{"all", "half"} {
		if arrived := int64(sinks[i].Requests()); arrived != c.Count("mirrorgate_target_sent_total", readings.Target(name)) {
			t.Errorf("target %s counted %d, mirrorgate sent %d", name, arrived, c.Count("mirrorgate_target_sent_total", readings.Target(name)))
		}
	}
}

// least leaves out what comes and goes, such as connections that found nothing to
// do and will be closed.
func least(levels []level) level {
	l := levels[0]
	for _, m := range levels[1:] {
		l = level{min(l.goroutines, m.goroutines), min(l.files, m.files), min(l.memory, m.memory)}
	}
	return l
}
