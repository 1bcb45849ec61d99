package bench

import (
	"errors"
	"fmt"
	"time"
)

// reachable is the share of its rate that an open loop must reach.
const reachable = 0.99

// errRate says that this machine, or the agent on it, is too slow for the load.
var errRate = errors.New("cannot reach")

// openLoop sends on one goroutine and receives on one for each connection. It
// returns how each of them ended.
func (g *Generator) openLoop() []error {
	var sending error
	done := make(chan struct{})
	go func() {
		sending = g.sendPaced()
		close(done)
		for _, c := range g.conns {
			// Who has nothing to wait for sits in a read that would never end.
			if c.waiting() == 0 {
				c.nc.SetReadDeadline(time.Now())
			}
		}
	}()
	errs := g.each(func(c *conn) error { return c.receiveUntil(done) })
	<-done
	return append(errs, sending)
}

// sendPaced sends each frame at the tick it is due, or as soon after as the
// agent takes it.
func (g *Generator) sendPaced() error {
	p := pace{rate: g.load.Rate}
	start, end := g.conns[0].start, g.load.end()
	var n uint64
	until := time.Duration(0)
	for due, now := tick, time.Duration(0); !g.over(now); {
		sleepUntil(start.Add((now/tick + 1) * tick))
		now = time.Since(start)
		if until = now; g.over(now) {
			until = min(now, end)
		}
		for due <= until {
			var err error
			if n, err = g.queue(n, p.dueBy(due), due); err != nil {
				return err
			}
			if n < p.dueBy(due) {
				break
			}
			due += tick
		}
		if err := g.flush(); err != nil {
			return err
		}
	}
	if float64(n) < reachable*float64(p.dueBy(until)) {
		return fmt.Errorf("%w %.0f requests/s: reached %.0f/s", errRate, p.rate, float64(n)/until.Seconds())
	}
	return nil
}

// queue makes the frames from n up to limit ready, on one connection after the
// other, and returns the first that found no room on any.
func (g *Generator) queue(n, limit uint64, due time.Duration) (uint64, error) {
	conns := uint64(len(g.conns))
	for held := uint64(0); n < limit && held < conns; {
		ok, err := g.conns[(n+held)%conns].queue(due)
		if err != nil {
			return n, err
		}
		if !ok {
			held++
			continue
		}
		n, held = n+1, 0
	}
	return n, nil
}

func (g *Generator) flush() error {
	for _, c := range g.conns {
		if err := c.flush(); err != nil {
			return err
		}
	}
	return nil
}
