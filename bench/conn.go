package bench

import (
	"errors"
	"fmt"
	"math/bits"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/mirrorgate/mirrorgate/codec"
)

const (
	// readSize in bytes is what one read takes, some thousand ACKs.
	readSize = 16 << 10
	// openWindow times 4 frames may wait for their ACK on one connection of an
	// open loop, before it counts as held up.
	openWindow = 256
)

// conn is one SPOP connection. One goroutine sends on it and one receives; in a
// closed loop they are the same. They share the slots alone.
type conn struct {
	nc     net.Conn
	start  time.Time // of the load; all durations below count from it
	from   time.Duration
	to     time.Duration // latencies of frames due after from and until to count
	frames frames
	queued int
	next   uint64 // frames sent or queued so far
	limit  uint64 // frames that may wait for their ACK

	slots []slot // a power of two of them
	sent  atomic.Uint64
	acked atomic.Uint64
	_     [64]byte // the counters of two connections share no cache line

	latency *hdrhistogram.Histogram
	in      []byte
	have    int
}

// slot is a frame that waits for its ACK. The sender fills it in, its id last;
// the receiver frees it by an id of 0.
type slot struct {
	id  atomic.Uint64
	due time.Duration
}

func newConn(nc net.Conn, l Load) *conn {
	inFlight := l.InFlight
	if l.Rate > 0 && l.InFlight > 1 {
		inFlight = openWindow
	}
	// More slots than frames in flight, for ACKs may come in any order.
	slots := 1 << bits.Len(uint(4*inFlight-1))
	limit := slots
	if l.Rate == 0 || l.InFlight == 1 {
		limit = inFlight
	}
	return &conn{
		nc: nc, from: l.Warmup, to: l.end(), limit: uint64(limit),
		frames: newFrames(l, inFlight), slots: make([]slot, slots),
		latency: newLatency(), in: make([]byte, readSize),
	}
}

// since is the time since the start of the load.
func (c *conn) since() time.Duration { return time.Since(c.start) }

// queue makes one more frame ready, due at the given time, and reports whether
// there was room for it: false means that the agent holds the sender up. A row
// that is full goes out first.
func (c *conn) queue(due time.Duration) (bool, error) {
	id := streamID(c.next)
	s := &c.slots[id%uint64(len(c.slots))]
	if s.id.Load() != 0 || c.next-c.acked.Load() >= c.limit {
		return false, nil
	}
	if c.queued == c.frames.count {
		if err := c.flush(); err != nil {
			return false, err
		}
	}
	c.frames.stamp(c.queued, c.next)
	s.due = due
	s.id.Store(id)
	c.queued++
	c.next++
	return true, nil
}

// flush writes what is queued, in one write.
func (c *conn) flush() error {
	if c.queued == 0 {
		return nil
	}
	n := c.queued
	c.queued = 0
	// Before the write, so that no ACK is counted earlier than its frame.
	c.sent.Add(uint64(n))
	if _, err := c.nc.Write(c.frames.first(n)); err != nil {
		return fmt.Errorf("cannot send frames: %w", err)
	}
	return nil
}

// refill sends as many frames as may be in flight in a closed loop.
func (c *conn) refill(now time.Duration) error {
	for {
		ok, err := c.queue(now)
		if err != nil {
			return err
		}
		if !ok {
			return c.flush()
		}
	}
}

// burst sends as many frames as may be in flight, once, and awaits their ACKs.
func (c *conn) burst() error {
	if err := c.refill(0); err != nil {
		return err
	}
	for c.waiting() > 0 {
		if err := c.receive(); err != nil {
			return err
		}
	}
	return nil
}

// receive waits for input and handles all ACKs in it.
func (c *conn) receive() error {
	n, err := c.nc.Read(c.in[c.have:])
	if err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			err = fmt.Errorf("%d frames were not acknowledged in time", c.waiting())
		}
		return fmt.Errorf("cannot read ACKs: %w", closedEarly(err))
	}
	now := c.since()
	c.have += n
	b, acks := c.in[:c.have], uint64(0)
	for len(b) >= codec.LenSize {
		size := int(codec.FrameLen(b))
		if size > len(c.in)-codec.LenSize {
			return fmt.Errorf("a frame of %d bytes is no ACK", size)
		}
		if size > len(b)-codec.LenSize {
			break
		}
		if err := c.acknowledge(b[codec.LenSize:][:size], now); err != nil {
			return err
		}
		b = b[codec.LenSize+size:]
		acks++
	}
	c.have = copy(c.in, b)
	c.acked.Add(acks)
	return nil
}

// receiveUntil receives ACKs until done is closed and none is missing.
func (c *conn) receiveUntil(done <-chan struct{}) error {
	for {
		err := c.receive()
		select {
		case <-done:
			if c.waiting() == 0 {
				return nil
			}
		default:
		}
		if err != nil {
			return err
		}
	}
}

// acknowledge frees the slot of the frame that was acknowledged.
func (c *conn) acknowledge(frame []byte, now time.Duration) error {
	f, err := codec.ParseFrame(frame)
	switch {
	case err != nil:
		return err
	case f.Type == codec.FrameAgentDisconnect:
		return disconnected(f)
	case f.Type != codec.FrameAck:
		return fmt.Errorf("%s is no ACK", f.Type)
	}
	s := &c.slots[f.StreamID%uint64(len(c.slots))]
	if s.id.Load() != f.StreamID || f.FrameID != 1 {
		return fmt.Errorf("ACK of stream %d, frame %d, which waits for none", f.StreamID, f.FrameID)
	}
	if s.due > c.from && s.due <= c.to {
		recordLatency(c.latency, now-s.due)
	}
	s.id.Store(0)
	return nil
}

// waiting is how many frames have no ACK yet.
func (c *conn) waiting() uint64 { return c.sent.Load() - c.acked.Load() }
