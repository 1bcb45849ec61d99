package bench

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func testRun() RunConfig {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	cfg := DefaultRun()
	cfg.Bench = self
	cfg.Command, cfg.Conns, cfg.Batch = FloorCommand+" --queue=1000000", 4, 8
	cfg.Load = testLoad()
	cfg.Load.Connections, cfg.Load.InFlight = 2, 4 // leaves room on a busy machine
	cfg.Load.Warmup, cfg.Load.Duration = 50*time.Millisecond, 250*time.Millisecond
	return cfg
}

func TestRunReconciles(t *testing.T) {
	f := func(name string, change func(*RunConfig)) Report {
		t.Helper()
		cfg := testRun()
		change(&cfg)
		r, err := Run(t.Context(), cfg)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want := r.Acked * uint64(cfg.Sink.Targets)
		if r.Sent == 0 || r.Acked != r.Sent || r.Delivered+r.Dropped != want || !r.Reconciled {
			t.Errorf("%s: %+v", name, r)
		}
		if r.Delivered == 0 || r.DeliveryRate == 0 || r.AckRate == 0 || r.PeakRSS == 0 || r.AckLatency.P50 == 0 {
			t.Errorf("%s: %+v", name, r)
		}
		return r
	}
	r := f("closed loop", func(*RunConfig) {})
	if r.Dropped != 0 || r.SinkConns == 0 || r.SinkConns > 4 {
		t.Errorf("%d dropped, %d connections", r.Dropped, r.SinkConns)
	}
	r = f("two targets", func(cfg *RunConfig) { cfg.Sink.Targets = 2 })
	if r.Dropped != 0 || r.Delivered != 2*r.Acked {
		t.Errorf("%d delivered of %d", r.Delivered, r.Acked)
	}
	f("a batch of 1", func(cfg *RunConfig) { cfg.Batch = 1 })
	f("connections with goroutines", func(cfg *RunConfig) { cfg.Command += " --goroutines" })
	f("targets with TLS", func(cfg *RunConfig) { cfg.Command, cfg.Sink.TLS = cfg.Command+" --goroutines --tls", true })
	r = f("open loop with bodies", func(cfg *RunConfig) { cfg.Load.Rate, cfg.Load.Body = 2000, 5000 })
	if r.Sent < 600 || r.Delivered != r.Sent {
		t.Errorf("%d sent, %d delivered", r.Sent, r.Delivered)
	}
	r = f("a queue that overflows", func(cfg *RunConfig) {
		cfg.Command = strings.Replace(cfg.Command, "--queue=1000000", "--queue=1", 1)
		cfg.Sink.Mode, cfg.Sink.Delay = SinkDelay, 20*time.Millisecond
	})
	if r.Dropped == 0 {
		t.Error("nothing was dropped")
	}
}

func TestRunOfAnAgentThatRuns(t *testing.T) {
	cfg := testRun()
	cfg.Agent, cfg.Sink.Targets = ackAgent{}.start(t), 0
	r, err := Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if r.Agent != cfg.Agent || r.Sent == 0 || !r.Reconciled || r.Delivered+r.Dropped != 0 || r.PeakRSS != 0 || r.CPUSeconds != 0 {
		t.Errorf("got %+v", r)
	}
}

func TestRunErrors(t *testing.T) {
	f := func(change func(*RunConfig), want string) {
		t.Helper()
		cfg := testRun()
		change(&cfg)
		_, err := Run(t.Context(), cfg)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	f(func(cfg *RunConfig) { cfg.Command = "" }, "there is no agent to measure")
	f(func(cfg *RunConfig) { cfg.Agent = "127.0.0.1:1" }, "needs a sink on the address that it sends to")
	f(func(cfg *RunConfig) { cfg.Agent, cfg.Sink.Targets = "127.0.0.1:1", 0 }, "connection refused")
	f(func(cfg *RunConfig) { cfg.Batch = 0 }, "conns and batch must be 1 or more")
	f(func(cfg *RunConfig) { cfg.Sink.Mode = "x" }, "unknown sink mode")
	f(func(cfg *RunConfig) { cfg.Sink.Addr = "127.0.0.1" }, "cannot start the sink")
	f(func(cfg *RunConfig) { cfg.Sink.Addr = "127.0.0.1:x" }, `"x" is no port`)
	f(func(cfg *RunConfig) { cfg.Sink.Addr = mustListen(t, SinkOK, 0).Addr() }, "address already in use")
	f(func(cfg *RunConfig) { cfg.Load.Connections = 0 }, "at least 1 connection")
	f(func(cfg *RunConfig) { cfg.Command = DefaultCommand }, "cannot find the program, which {self} stands for")
	f(func(cfg *RunConfig) { cfg.Command = "false {listen}" }, "died before it listened")
}

// An agent that is killed while it is measured gives an error and no figures.
func TestRunOfAnAgentThatDies(t *testing.T) {
	cfg := testRun()
	cfg.Load.Duration = time.Hour
	cfg.Command = "timeout --signal=KILL 1 " + FloorCommand
	r, err := Run(t.Context(), cfg)
	if err == nil || !strings.Contains(err.Error(), "the agent died half-way: signal: killed") || r.Sent != 0 {
		t.Errorf("got %v, %+v", err, r)
	}
}

// However late the samples are, the load goes on until the last one, and the
// window is where it is said to be.
func TestWindowOfABusyMachine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := window{g: new(Generator), agent: new(agent)}
		l := Load{Warmup: -3 * time.Second, Duration: 4 * time.Second} // 3 s late
		if err := w.watch(t.Context(), l); err != nil || w.duration() != 2*time.Second {
			t.Errorf("got %v, %s", err, w.duration())
		}
	})
	hold := make(chan struct{})
	g := Generator{load: Load{Duration: time.Second}, hold: hold}
	if g.over(0) || g.over(time.Minute) {
		t.Error("the load ends before the last sample")
	}
	close(hold)
	if g.over(0) || !g.over(time.Second) {
		t.Error("the load does not end when it may")
	}
}

func TestReportCheck(t *testing.T) {
	f := func(r Report, want string) {
		t.Helper()
		got := ""
		if err := r.check(); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	f(Report{Sent: 2, Acked: 2}, "")
	f(Report{Sent: 5, Acked: 2}, "3 of 5 frames were not acknowledged")
	f(Report{Sent: 2, Acked: 2, Duplicates: 1}, "the sinks counted 1 requests more than were acknowledged")
	f(Report{Sent: 2, Acked: 2, Duplicates: 1, mode: SinkReset}, "")
	f(Report{Sent: 2, Acked: 2, Load: LoadReport{Targets: 1}, SinkConns: 3},
		"nothing was delivered of 2 acknowledged requests, over 3 connections: does the agent send to the sink? (0 targets measure ACKs only)")
}

func testReport() Report {
	cfg := testRun()
	cfg.Load.Rate = 1000
	a := &agent{command: "x", proc: &process{}}
	w := window{
		begin: sample{at: time.Time{}.Add(time.Second), acked: 1, delivered: 2, cpu: 4 * time.Microsecond},
		end:   sample{at: time.Time{}.Add(3 * time.Second), acked: 5, delivered: 10, cpu: 20 * time.Microsecond},
	}
	latency := newLatency()
	recordLatency(latency, time.Millisecond)
	r := newReport(cfg, a, Traffic{Sent: 6, Acked: 6, Latency: latency}, &w, usage{peakRSS: 1 << 20}, nil)
	r.Load.InFlight = 1 // so that every key is there
	return r
}

// The keys are a promise to whoever reads them with a program.
func TestReportJSON(t *testing.T) {
	golden, err := os.ReadFile("testdata/report.json")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := testReport().WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	if b.String() != string(golden) {
		t.Errorf("got\n%s", b.String())
	}
}

func TestReportText(t *testing.T) {
	var b strings.Builder
	if err := testReport().WriteText(&b); err != nil {
		t.Fatal(err)
	}
	f := func(line string) {
		t.Helper()
		if !strings.Contains(b.String(), line+"\n") {
			t.Errorf("%q is missing in\n%s", line, b.String())
		}
	}
	f("agent      x")
	f("sink       ok × 1, 0 connections opened")
	f("sent       6, acknowledged 6")
	f("delivered  0, dropped 6, duplicates 0, reconciled: true")
	f("rate       2 ACKs/s, 4 deliveries/s")
	f("ACK        p50 1ms  p90 1ms  p99 1ms  p99.9 1ms  max 1ms")
	f("CPU        0.00 s, 4.00 µs for each ACK, 2.00 µs for each delivered request")
	f("memory     1.0 MiB at the peak")
	f("  <      1ms " + strings.Repeat("█", barWidth) + " 1")
}

func TestProgress(t *testing.T) {
	cfg := testRun()
	cfg.Load.Duration = 3 * progressEvery
	var b bytes.Buffer
	cfg.Progress = &b
	if _, err := Run(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "ACKs/s") {
		t.Errorf("got %q", b.String())
	}
}

func TestCompareTakesTurns(t *testing.T) {
	cfg := testRun()
	c, err := Compare(t.Context(), cfg, cfg.Command, cfg.Command+" --batch=1", 2)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := c.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	var decoded struct{ Figures []ComparedBy }
	var j bytes.Buffer
	if err := c.WriteJSON(io.MultiWriter(&j, &b)); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(j.Bytes(), &decoded); err != nil {
		t.Fatal(err)
	}
	rate := decoded.Figures[slices.IndexFunc(decoded.Figures, func(f ComparedBy) bool { return f.Figure == "ack_rate" })]
	if len(rate.Ratios) != 2 || rate.A.Min <= 0 || rate.B.Min <= 0 {
		t.Errorf("got %+v", rate)
	}
}

func TestCompareErrors(t *testing.T) {
	f := func(cfg RunConfig, b string, rounds int, want string) {
		t.Helper()
		_, err := Compare(t.Context(), cfg, cfg.Command, b, rounds)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	running := testRun()
	running.Agent = "127.0.0.1:1"
	f(testRun(), "", 0, "needs 1 round or more")
	f(running, "", 1, "cannot compare a running agent")
	f(testRun(), "false {listen}", 1, "cannot measure B in round 1: the agent died")
}
