package bench

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// ackTimeout is how long a generator waits for the last ACKs, after it has
// stopped sending.
const ackTimeout = 5 * time.Second

// Generator plays HAProxy: it sends NOTIFY frames to an agent over SPOP and
// awaits their ACKs.
type Generator struct {
	load       Load
	conns      []*conn
	ackTimeout time.Duration
	// hold keeps the load up beyond its end until it is closed; nil: not at all.
	hold <-chan struct{}
}

// Traffic is what a generator sent, warm-up included.
type Traffic struct {
	Sent  uint64 // NOTIFY frames written
	Acked uint64 // ACKs received
	// Latency is in nanoseconds, from the moment that a frame was due, which in a
	// closed loop is when it was written, to its ACK. It has the frames of the
	// measured time alone.
	Latency *hdrhistogram.Histogram
}

// DialGenerator opens the connections of the load to the agent at addr
// ("host:port" or "unix:/path") and shakes hands on each. The error says what
// the agent did instead; no connection takes longer than five seconds.
func DialGenerator(ctx context.Context, addr string, load Load) (*Generator, error) {
	if err := load.validate(); err != nil {
		return nil, err
	}
	g := &Generator{load: load, ackTimeout: ackTimeout}
	for n := range load.Connections {
		c, err := dial(ctx, addr, load, n)
		if err != nil {
			g.close()
			return nil, err
		}
		g.conns = append(g.conns, c)
	}
	return g, nil
}

// Run sends the load, waits for the last ACKs and closes the connections. It
// ends five seconds after the load's duration at the latest, and at once when
// ctx does. The errors: lost connections, frames that were never acknowledged,
// a rate that was not reached. Traffic counts what was done until then.
func (g *Generator) Run(ctx context.Context) (Traffic, error) {
	g.start(time.Now())
	stop := context.AfterFunc(ctx, g.close)
	defer stop()
	defer g.close()

	loop := g.closedLoop
	if g.load.Rate > 0 {
		loop = g.openLoop
	}
	err := lost(loop())
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	t := Traffic{Latency: newLatency()}
	for _, c := range g.conns {
		t.Latency.Merge(c.latency)
	}
	t.Sent, t.Acked = g.Progress()
	return t, err
}

func (g *Generator) start(now time.Time) {
	for _, c := range g.conns {
		c.start = now
		// An error is a closed connection: the first write says so.
		_ = c.nc.SetDeadline(now.Add(g.load.end() + g.ackTimeout))
	}
}

// Progress returns the frames written and acknowledged so far. It may be called
// at any time.
func (g *Generator) Progress() (sent, acked uint64) {
	for _, c := range g.conns {
		// In this order, so that acked is never the larger one.
		acked += c.acked.Load()
		sent += c.sent.Load()
	}
	return sent, acked
}

func (g *Generator) close() {
	for _, c := range g.conns {
		c.nc.Close()
	}
}

// closedLoop returns how each connection ended.
func (g *Generator) closedLoop() []error {
	return g.each(func(c *conn) error {
		for {
			if now := c.since(); !g.over(now) {
				if err := c.refill(now); err != nil {
					return err
				}
			}
			if c.waiting() == 0 {
				return nil
			}
			if err := c.receive(); err != nil {
				return err
			}
		}
	})
}

// over reports whether nothing more is to be sent.
func (g *Generator) over(now time.Duration) bool {
	if now < g.load.end() {
		return false
	}
	select {
	case <-g.hold:
		return true
	default:
		return g.hold == nil
	}
}

// each runs f for each connection at the same time.
func (g *Generator) each(f func(*conn) error) []error {
	errs := make([]error, len(g.conns))
	var wg sync.WaitGroup
	for i, c := range g.conns {
		wg.Go(func() { errs[i] = f(c) })
	}
	wg.Wait()
	return errs
}

// lost makes one error of how the connections ended, or nil.
func lost(errs []error) error {
	var first error
	n := 0
	for _, err := range errs {
		if err == nil {
			continue
		}
		if n++; first == nil {
			first = err
		}
	}
	if n <= 1 {
		return first
	}
	return fmt.Errorf("lost %d connections, the first one: %w", n, first)
}
