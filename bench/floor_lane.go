package bench

import (
	"bytes"
	"net"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/mirrorgate/mirrorgate/codec"
)

// floorBlock is a request on the wire, repeated batch times.
func floorBlock(r codec.Request, batch int) ([]byte, error) {
	var b bytes.Buffer
	b.Write(r.Method)
	b.WriteByte(' ')
	b.Write(r.Target)
	b.WriteString(" HTTP/1.1\r\n")
	it := r.Headers.Iter()
	for it.Next() {
		b.Write(it.Name)
		b.WriteString(": ")
		b.Write(it.Value)
		b.WriteString("\r\n")
	}
	b.WriteString("\r\n")
	b.Write(r.Body)
	return bytes.Repeat(b.Bytes(), batch), it.Err()
}

// floorTarget is a target with its queue, which is a number, as all requests
// are equal, and its lanes.
type floorTarget struct {
	addr    string
	batch   int
	limit   int
	dropped atomic.Uint64
	lanes   []*floorLane
	running sync.WaitGroup

	mu     sync.Mutex
	block  []byte // batch requests
	queued int
	idle   []*floorLane
	closed bool
}

// floorLane is one connection with one batch in flight.
type floorLane struct {
	target *floorTarget
	bell   chan struct{}
	nc     net.Conn // nil while not connected; set under target.mu
	in     []byte
}

func newFloorTarget(addr string, cfg FloorConfig) *floorTarget {
	t := &floorTarget{addr: addr, batch: cfg.Batch, limit: cfg.Queue}
	for range cfg.Conns {
		l := &floorLane{target: t, bell: make(chan struct{}, 1), in: make([]byte, 16<<10)}
		t.lanes = append(t.lanes, l)
		t.running.Go(l.run)
	}
	t.idle = slices.Clone(t.lanes)
	return t
}

// submit queues n requests and wakes as many idle lanes as they fill.
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

// take returns the bytes of a batch and the number of requests in it, or 0
// after it has put l among the idle lanes.
func (t *floorTarget) take(l *floorLane) (b []byte, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n = min(t.queued, t.batch)
	if n == 0 || t.closed {
		t.idle = append(t.idle, l)
		return nil, 0
	}
	t.queued -= n
	return t.block[:len(t.block)/t.batch*n], n
}

// close ends the lanes. Nothing may submit any more.
func (t *floorTarget) close() {
	t.mu.Lock()
	t.closed = true
	for _, l := range t.lanes {
		if l.nc != nil {
			l.nc.Close()
		}
		close(l.bell)
	}
	t.mu.Unlock()
	t.running.Wait()
}

func (l *floorLane) run() {
	for range l.bell {
		for {
			b, n := l.target.take(l)
			if n == 0 {
				break
			}
			if err := l.exchange(b, n); err != nil {
				l.target.dropped.Add(uint64(n))
			}
		}
	}
}

// exchange sends n requests in one write and reads on until as many responses
// have come, which are known by their length.
func (l *floorLane) exchange(b []byte, n int) error {
	if err := l.connect(); err != nil {
		return err
	}
	if _, err := l.nc.Write(b); err != nil {
		return l.disconnect(err)
	}
	for left := n * len(okResponse); left > 0; {
		got, err := l.nc.Read(l.in)
		if err != nil {
			return l.disconnect(err)
		}
		left -= got
	}
	return nil
}

func (l *floorLane) connect() error {
	if l.nc != nil {
		return nil
	}
	nc, err := net.Dial("tcp", l.target.addr)
	if err != nil {
		return err
	}
	l.target.mu.Lock()
	defer l.target.mu.Unlock()
	if l.target.closed {
		nc.Close()
		return net.ErrClosed
	}
	l.nc = nc
	return nil
}

func (l *floorLane) disconnect(err error) error {
	l.target.mu.Lock()
	defer l.target.mu.Unlock()
	l.nc.Close()
	l.nc = nil
	return err
}
