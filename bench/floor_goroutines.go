package bench

import (
	"crypto/tls"
	"net"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/panjf2000/gnet/v2"
)

// goroutineRelay has a goroutine for each connection to a target, like agents that
// keep their event loops for SPOP.
type goroutineRelay []*floorTarget

func newGoroutineRelay(cfg FloorConfig, dropped *atomic.Uint64) goroutineRelay {
	var all goroutineRelay
	for _, addr := range cfg.Targets {
		all = append(all, newFloorTarget(addr, cfg, dropped))
	}
	return all
}

func (all goroutineRelay) join(gnet.EventLoop) func(int, []byte) { return all.submit }

func (all goroutineRelay) submit(n int, block []byte) {
	for _, t := range all {
		t.submit(n, block)
	}
}

func (all goroutineRelay) close() {
	for _, t := range all {
		t.close()
	}
}

// floorTarget is a target with its queue, which is a number, as all requests
// are equal, and its workers.
type floorTarget struct {
	addr    string
	dial    func(network, addr string) (net.Conn, error)
	batch   int
	limit   int
	dropped *atomic.Uint64
	workers []*floorWorker
	running sync.WaitGroup

	mu     sync.Mutex
	block  []byte // batch requests
	queued int
	idle   []*floorWorker
	closed bool
}

// floorWorker is one connection with one batch in flight.
type floorWorker struct {
	target *floorTarget
	bell   chan struct{}
	nc     net.Conn // nil while not connected; set under target.mu
	in     []byte
}

func newFloorTarget(addr string, cfg FloorConfig, dropped *atomic.Uint64) *floorTarget {
	t := &floorTarget{addr: addr, batch: cfg.Batch, limit: cfg.Queue, dropped: dropped, dial: net.Dial}
	if cfg.TLS {
		t.dial = (&tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}).Dial
	}
	for range cfg.Conns {
		w := &floorWorker{target: t, bell: make(chan struct{}, 1), in: make([]byte, 16<<10)}
		t.workers = append(t.workers, w)
		t.running.Go(w.run)
	}
	t.idle = slices.Clone(t.workers)
	return t
}

// submit queues n requests and wakes as many idle workers as they fill.
func (t *floorTarget) submit(n int, block []byte) {
	t.mu.Lock()
	t.block = block
	taken := min(n, t.limit-t.queued)
	t.queued += taken
	for wake := (taken + t.batch - 1) / t.batch; wake > 0 && len(t.idle) > 0; wake-- {
		last := len(t.idle) - 1
		t.idle[last].bell <- struct{}{}
		t.idle = t.idle[:last]
	}
	t.mu.Unlock()
	if taken < n {
		t.dropped.Add(uint64(n - taken))
	}
}

// nextBatch returns the bytes of a batch and the number of requests in it, or 0
// after it has put w among the idle workers.
func (t *floorTarget) nextBatch(w *floorWorker) (b []byte, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n = min(t.queued, t.batch)
	if n == 0 || t.closed {
		t.idle = append(t.idle, w)
		return nil, 0
	}
	t.queued -= n
	return t.block[:len(t.block)/t.batch*n], n
}

// close ends the workers. Nothing may submit any more.
func (t *floorTarget) close() {
	t.mu.Lock()
	t.closed = true
	for _, w := range t.workers {
		if w.nc != nil {
			w.nc.Close()
		}
		close(w.bell)
	}
	t.mu.Unlock()
	t.running.Wait()
}

func (w *floorWorker) run() {
	for range w.bell {
		for {
			b, n := w.target.nextBatch(w)
			if n == 0 {
				break
			}
			if err := w.exchange(b, n); err != nil {
				w.target.dropped.Add(uint64(n))
			}
		}
	}
}

// exchange sends n requests in one write and reads on until as many responses
// have come, which are known by their length.
func (w *floorWorker) exchange(b []byte, n int) error {
	if err := w.connect(); err != nil {
		return err
	}
	if _, err := w.nc.Write(b); err != nil {
		return w.disconnect(err)
	}
	for left := n * len(okResponse); left > 0; {
		got, err := w.nc.Read(w.in)
		if err != nil {
			return w.disconnect(err)
		}
		left -= got
	}
	return nil
}

func (w *floorWorker) connect() error {
	if w.nc != nil {
		return nil
	}
	nc, err := w.target.dial("tcp", w.target.addr)
	if err != nil {
		return err
	}
	w.target.mu.Lock()
	defer w.target.mu.Unlock()
	if w.target.closed {
		nc.Close()
		return net.ErrClosed
	}
	w.nc = nc
	return nil
}

func (w *floorWorker) disconnect(err error) error {
	w.target.mu.Lock()
	defer w.target.mu.Unlock()
	w.nc.Close()
	w.nc = nil
	return err
}
