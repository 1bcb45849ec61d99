package bench

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
)

// testLoad sends for a tenth of a second.
func testLoad() Load {
	return Load{Connections: 4, InFlight: 8, Headers: 8, Duration: 100 * time.Millisecond}
}

func mustDial(tb testing.TB, addr string, l Load) *Generator {
	tb.Helper()
	g, err := DialGenerator(tb.Context(), addr, l)
	if err != nil {
		tb.Fatal(err)
	}
	return g
}

// holdUntilSent lets a busy machine take longer for what is due in the load's time.
func holdUntilSent(t *testing.T, g *Generator, n uint64) *Generator {
	hold := make(chan struct{})
	g.hold = hold
	go func() {
		defer close(hold)
		for sent := uint64(0); sent < n && t.Context().Err() == nil; sent, _ = g.Progress() {
			time.Sleep(time.Millisecond)
		}
	}()
	return g
}

func TestEachFrameIsAcknowledgedOnce(t *testing.T) {
	f := func(name string, change func(*Load)) {
		t.Helper()
		l := testLoad()
		change(&l)
		traffic, err := mustDial(t, ackAgent{}.start(t), l).Run(t.Context())
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		counted := uint64(traffic.Latency.TotalCount())
		if traffic.Sent == 0 || traffic.Acked != traffic.Sent || counted != traffic.Sent {
			t.Errorf("%s: sent %d, acked %d, latencies %d", name, traffic.Sent, traffic.Acked, counted)
		}
	}
	f("closed loop", func(*Load) {})
	f("one frame in flight", func(l *Load) { l.InFlight, l.Connections = 1, 1 })
	f("more in flight than one row has", func(l *Load) { l.InFlight, l.Body = 100, 14000 })
	f("many connections", func(l *Load) { l.Connections = 200 })
	f("open loop", func(l *Load) { l.Rate = 5000 })
	f("open loop, slower than a tick", func(l *Load) { l.Rate = 100 })
}

// An agent without pipelining never sees a frame before it has acknowledged the
// one before, whether the loop is closed or open.
func TestOneFrameInFlight(t *testing.T) {
	f := func(rate float64) {
		t.Helper()
		l := testLoad()
		l.InFlight, l.Rate = 1, rate
		traffic, err := holdUntilSent(t, mustDial(t, ackAgent{oneByOne: true, stall: 20 * time.Millisecond}.start(t), l), 100).Run(t.Context())
		if err != nil || traffic.Acked < 100 {
			t.Errorf("rate %.0f: %v, %d frames", rate, err, traffic.Acked)
		}
	}
	f(0)
	f(1000)
	_, err := DialGenerator(t.Context(), ackAgent{oneByOne: true}.start(t), testLoad())
	if err == nil || !strings.Contains(err.Error(), "it does not announce pipelining: measure it with 1 frame in flight") {
		t.Errorf("got %v", err)
	}
}

func TestOpenLoopSendsWhatIsDue(t *testing.T) {
	l := testLoad()
	l.Rate = 1235
	traffic, err := mustDial(t, ackAgent{}.start(t), l).Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if traffic.Sent != 123 {
		t.Errorf("sent %d frames in a tenth of a second", traffic.Sent)
	}
}

func TestWarmupHasNoLatencies(t *testing.T) {
	l := testLoad()
	l.Rate, l.Warmup = 1_000, 50*time.Millisecond
	traffic, err := mustDial(t, ackAgent{}.start(t), l).Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// From the tick at 51 ms to the one at 150 ms.
	if n := traffic.Latency.TotalCount(); n != 100 || traffic.Sent != 150 {
		t.Errorf("%d latencies of %d frames", n, traffic.Sent)
	}
}

// An agent that stops for 100 ms delays the frames that were due meanwhile, and
// most of them could not even be sent.
func TestHeldFramesCountFromWhenTheyWereDue(t *testing.T) {
	l := Load{Connections: 1, InFlight: 1, Headers: 8, Rate: 400, Duration: 300 * time.Millisecond}
	traffic, err := holdUntilSent(t, mustDial(t, ackAgent{stall: 100 * time.Millisecond}.start(t), l), 120).Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var late int64
	for _, bar := range traffic.Latency.Distribution() {
		if bar.From >= int64(20*time.Millisecond) {
			late += bar.Count
		}
	}
	if late < 20 || traffic.Sent < 120 {
		t.Errorf("%d of %d frames were late", late, traffic.Sent)
	}
}

func TestAgentFailures(t *testing.T) {
	f := func(a ackAgent, change func(*Load), want string) {
		t.Helper()
		l := testLoad()
		change(&l)
		g, err := DialGenerator(t.Context(), a.start(t), l)
		if err == nil {
			g.ackTimeout = 100 * time.Millisecond
			_, err = g.Run(t.Context())
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	as := func(*Load) {}
	one := func(l *Load) { l.Connections = 1 }
	open := func(l *Load) { l.Rate, l.Connections = 100_000, 1 }
	f(ackAgent{hangUpAfter: 1}, as, "it closed the connection")
	f(ackAgent{frameSize: 300}, as, "it takes frames of 300 bytes at the most")
	f(ackAgent{frameSize: 100}, as, "max-frame-size too big or too small")
	f(ackAgent{muteAck: true}, one, "8 frames were not acknowledged in time")
	f(ackAgent{muteAck: true}, open, "1024 frames were not acknowledged in time")
	f(ackAgent{doubleAck: true}, as, "which waits for none")
	f(ackAgent{disconnectAfter: 20}, one, "it disconnected: resource allocation error")
	f(ackAgent{disconnectAfter: 20}, as, "lost 4 connections, the first one: ")
	f(ackAgent{hangUpAfter: 20}, one, "cannot")
	f(ackAgent{hangUpAfter: 20}, open, "cannot")
}

// An agent that stalls for longer than the load lasts takes a window of frames
// before, and as much as it can in one go after.
func TestUnreachableRate(t *testing.T) {
	l := testLoad()
	l.Rate, l.Connections, l.Headers = 1_000_000, 1, 1
	traffic, err := mustDial(t, ackAgent{stall: 150 * time.Millisecond}.start(t), l).Run(t.Context())
	if traffic.Sent < 1024 || traffic.Sent > 90_000 || traffic.Acked != traffic.Sent {
		t.Errorf("sent %d, acked %d", traffic.Sent, traffic.Acked)
	}
	want := fmt.Sprintf("cannot reach 1000000 requests/s: reached %d/s", traffic.Sent*10)
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestHelloWithoutResponse(t *testing.T) {
	t.Parallel()
	_, err := DialGenerator(t.Context(), ackAgent{muteHello: true}.start(t), testLoad())
	if err == nil || !strings.Contains(err.Error(), "it did not respond to the HELLO within 5s") {
		t.Errorf("got %v", err)
	}
}

func TestCancelEndsTheRun(t *testing.T) {
	f := func(rate float64) {
		t.Helper()
		l := testLoad()
		l.Rate, l.Duration = rate, time.Hour
		g := mustDial(t, ackAgent{}.start(t), l)
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			for acked := uint64(0); acked < 100; _, acked = g.Progress() {
				time.Sleep(time.Millisecond)
			}
			cancel()
		}()
		if _, err := g.Run(ctx); err != context.Canceled {
			t.Errorf("rate %.0f: got %v", rate, err)
		}
	}
	f(0)
	f(10_000)
}

func TestBadLoads(t *testing.T) {
	f := func(change func(*Load), want string) {
		t.Helper()
		l := testLoad()
		change(&l)
		if _, err := DialGenerator(t.Context(), "127.0.0.1:1", l); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	f(func(l *Load) { l.Connections = 0 }, "at least 1 connection")
	f(func(l *Load) { l.InFlight = 0 }, "in flight must be from 1")
	f(func(l *Load) { l.Rate = -1 }, "rate must be")
	f(func(l *Load) { l.Body = -1 }, "body must be")
	f(func(l *Load) { l.Headers = 0 }, "header fields must be")
	f(func(l *Load) { l.Duration = 0 }, "duration above 0")
	f(func(*Load) {}, "cannot connect to the agent")
}

// BenchmarkGenerator is how many frames a second the generator sends to an
// agent that only acknowledges, both on the same machine.
func BenchmarkGenerator(b *testing.B) {
	load := DefaultLoad
	load.Duration = time.Hour
	g := mustDial(b, ackAgent{}.start(b), load)
	defer g.close()
	g.start(time.Now())
	b.SetBytes(int64(g.conns[0].frames.size))
	b.ReportAllocs()
	b.ResetTimer()
	share := uint64(b.N/len(g.conns)) + 1
	if err := lost(g.each(func(c *conn) error {
		for c.acked.Load() < share {
			if err := c.refill(c.since()); err != nil {
				return err
			}
			if err := c.receive(); err != nil {
				return err
			}
		}
		return nil
	})); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "frames/s")
}
