package bench

import (
	"context"
	"net"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/panjf2000/gnet/v2"
)

// loopRelay has the connections to the targets on the event loops that read the
// requests: each loop its own, so that nothing is locked and nobody is woken.
type loopRelay struct {
	cfg     FloorConfig
	dropped *atomic.Uint64

	mu    sync.Mutex
	loops map[gnet.EventLoop][]*loopTarget
}

func newLoopRelay(cfg FloorConfig, dropped *atomic.Uint64) *loopRelay {
	return &loopRelay{cfg: cfg, dropped: dropped, loops: map[gnet.EventLoop][]*loopTarget{}}
}

// join connects to the targets if el is new: before the first frame is read, so
// that it may take its time.
func (r *loopRelay) join(el gnet.EventLoop) func(int, []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	targets, known := r.loops[el]
	if !known {
		for _, addr := range r.cfg.Targets {
			targets = append(targets, r.connect(el, addr))
		}
		r.loops[el] = targets
	}
	return func(n int, block []byte) {
		for _, t := range targets {
			t.submit(n, block)
		}
	}
}

// connect opens the share of el of the connections to a target.
func (r *loopRelay) connect(el gnet.EventLoop, addr string) *loopTarget {
	t := &loopTarget{batch: r.cfg.Batch, limit: r.cfg.Queue, dropped: r.dropped}
	for range max(1, r.cfg.Conns/r.cfg.Loops) {
		nc, err := net.Dial("tcp", addr)
		if err != nil {
			return t
		}
		if _, err := el.Enroll(gnet.NewContext(context.Background(), &loopConn{target: t}), nc); err != nil {
			nc.Close()
			return t
		}
		t.conns++
	}
	return t
}

// close has nothing to do: all ended with the loops.
func (r *loopRelay) close() {}

// loopTarget is a target of one event loop, with its queue, which is a number, as
// all requests are equal.
type loopTarget struct {
	batch   int
	limit   int
	dropped *atomic.Uint64

	block  []byte // batch requests
	queued int
	conns  int // that stand or will
	idle   []*loopConn
}

// loopConn is one connection with one batch in flight.
type loopConn struct {
	target   *loopTarget
	sock     gnet.Conn
	inFlight int // requests
	left     int // bytes of their responses
}

// submit queues n requests and sends what may go.
func (t *loopTarget) submit(n int, block []byte) {
	t.block = block
	taken := 0
	if t.conns > 0 {
		taken = min(n, t.limit-t.queued)
	}
	t.queued += taken
	t.send()
	if taken < n {
		t.dropped.Add(uint64(n - taken))
	}
}

// send fills idle connections. Behind requests in flight it gathers a whole batch.
func (t *loopTarget) send() {
	for t.queued > 0 && len(t.idle) > 0 && (t.queued >= t.batch || len(t.idle) == t.conns) {
		last := len(t.idle) - 1
		c := t.idle[last]
		t.idle = t.idle[:last]
		n := min(t.queued, t.batch)
		t.queued -= n
		c.inFlight, c.left = n, n*len(okResponse)
		// An error closes the connection, which counts what was in flight.
		_, _ = c.sock.Write(t.block[:len(t.block)/t.batch*n])
	}
}

func (c *loopConn) opened(sock gnet.Conn) {
	c.sock = sock
	c.target.idle = append(c.target.idle, c)
	c.target.send()
}

// received takes n bytes of responses, which are known by their length.
func (c *loopConn) received(n int) gnet.Action {
	if _, err := c.sock.Discard(n); err != nil || n > c.left {
		return gnet.Close
	}
	if c.left -= n; c.left == 0 {
		c.inFlight = 0
		c.target.idle = append(c.target.idle, c)
		c.target.send()
	}
	return gnet.None
}

// closed drops what is lost with the connection, and with the last one what waits.
func (c *loopConn) closed() {
	t := c.target
	if i := slices.Index(t.idle, c); i >= 0 {
		t.idle = slices.Delete(t.idle, i, i+1)
	}
	lost := c.inFlight
	if t.conns--; t.conns == 0 {
		lost += t.queued
		t.queued = 0
	}
	t.dropped.Add(uint64(lost))
}
