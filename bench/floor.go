package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/mirrorgate/mirrorgate/codec"
	"github.com/panjf2000/gnet/v2"
)

// Floor is the cheapest relay that can be written, so that the distance of an
// agent to the limit is a number: frames in, ACKs out, and for each NOTIFY one
// request out. Nothing is parsed or checked but the first NOTIFY: that one is
// serialised, and its bytes are what goes out ever after. It is of use with
// this package's generator, whose frames are all equal, and its sink.
type Floor struct {
	gnet.BuiltinEventEngine
	eng     gnet.Engine
	booted  chan struct{}
	ended   chan error
	request atomic.Pointer[[]byte] // nil before the first NOTIFY
	relay   floorRelay
	batch   int
	dropped atomic.Uint64
}

// floorRelay is how requests get to the targets: goroutineRelay or loopRelay.
type floorRelay interface {
	// join is called on an event loop and returns what is to be called there for
	// n requests, which are the first ones of the block.
	join(gnet.EventLoop) (submit func(n int, block []byte))
	// close returns when nothing runs any more. The event loops have ended.
	close()
}

// FloorConfig says what a Floor relays to whom.
type FloorConfig struct {
	Listen  string   // "host:port"
	Loops   int      // event loops; 0: 1
	Targets []string // "host:port" of sinks in SinkOK or SinkDelay mode; none: it only acknowledges
	Conns   int      // connections to each target
	Batch   int      // requests in flight on each of them
	Queue   int      // requests that wait for each target at the most; the newest is dropped
	// Goroutines gives each connection to a target one of its own. Else they live on
	// the event loops, where nothing has to be woken, which is the lower floor.
	Goroutines bool
	TLS        bool // to the targets, without verifying them; with Goroutines alone
}

// StartFloor serves until Close. The errors are those of the configuration and
// an address in use.
func StartFloor(cfg FloorConfig) (*Floor, error) {
	if cfg.Conns < 1 || cfg.Batch < 1 || cfg.Queue < 1 {
		return nil, errors.New("the floor needs conns, batch and queue of 1 or more")
	}
	if cfg.TLS && !cfg.Goroutines {
		return nil, errors.New("the floor speaks TLS with goroutines alone")
	}
	cfg.Loops = max(cfg.Loops, 1)
	f := &Floor{booted: make(chan struct{}), ended: make(chan error, 1), batch: cfg.Batch}
	if cfg.Goroutines {
		f.relay = newGoroutineRelay(cfg, &f.dropped)
	} else {
		f.relay = newLoopRelay(cfg, &f.dropped)
	}
	go func() {
		f.ended <- gnet.Run(f, "tcp://"+cfg.Listen,
			gnet.WithNumEventLoop(cfg.Loops), gnet.WithReuseAddr(true), gnet.WithLogger(silent{}))
	}()
	select {
	case <-f.booted:
		return f, nil
	case err := <-f.ended:
		f.relay.close()
		return nil, fmt.Errorf("cannot start the floor on %s: %w", cfg.Listen, err)
	}
}

// Close stops the floor, requests in its queues included, and returns once
// nothing of it runs any more.
func (f *Floor) Close() error {
	err := f.eng.Stop(context.Background())
	<-f.ended
	f.relay.close()
	return err
}

// Dropped is how many requests found a queue full or lost their connection.
func (f *Floor) Dropped() uint64 { return f.dropped.Load() }

// floorConn is a connection of a generator.
type floorConn struct {
	submit func(n int, block []byte)
	out    []byte
}

// OnBoot is called by gnet.
func (f *Floor) OnBoot(eng gnet.Engine) gnet.Action {
	f.eng = eng
	close(f.booted)
	return gnet.None
}

// OnOpen is called by gnet.
func (f *Floor) OnOpen(c gnet.Conn) ([]byte, gnet.Action) {
	if t, ok := c.Context().(*loopConn); ok {
		t.opened(c)
		return nil, gnet.None
	}
	c.SetContext(&floorConn{submit: f.relay.join(c.EventLoop())})
	return nil, gnet.None
}

// OnClose is called by gnet.
func (f *Floor) OnClose(c gnet.Conn, _ error) gnet.Action {
	if t, ok := c.Context().(*loopConn); ok {
		t.closed()
	}
	return gnet.None
}

// OnTraffic is called by gnet: all that arrived is acknowledged with one write and
// goes to the targets as one batch.
func (f *Floor) OnTraffic(c gnet.Conn) gnet.Action {
	in, err := c.Peek(-1)
	if err != nil {
		return gnet.Close
	}
	if t, ok := c.Context().(*loopConn); ok {
		return t.received(len(in))
	}
	fc := c.Context().(*floorConn)
	out, used, notifies, err := f.reply(fc.out[:0], in)
	fc.out = out
	if err != nil {
		return gnet.Close
	}
	if len(out) > 0 {
		if _, err := c.Write(out); err != nil {
			return gnet.Close
		}
	}
	if notifies > 0 {
		fc.submit(notifies, *f.request.Load())
	}
	if used > 0 {
		if _, err := c.Discard(used); err != nil {
			return gnet.Close
		}
	}
	return gnet.None
}

// reply appends the frames that go back for the whole frames in b, and returns the
// number of their bytes and of the NOTIFYs among them.
func (f *Floor) reply(out, b []byte) (replies []byte, used, notifies int, err error) {
	for {
		rest := b[used:]
		if len(rest) < codec.LenSize || len(rest)-codec.LenSize < int(codec.FrameLen(rest)) {
			return out, used, notifies, nil
		}
		size := codec.LenSize + int(codec.FrameLen(rest))
		frame, err := codec.ParseFrame(rest[codec.LenSize:size])
		if err != nil {
			return out, used, notifies, err
		}
		switch frame.Type {
		case codec.FrameNotify:
			if f.request.Load() == nil {
				if err := f.learn(frame); err != nil {
					return out, used, notifies, err
				}
			}
			out = codec.AppendAck(out, frame.StreamID, frame.FrameID)
			notifies++
		case codec.FrameHAProxyHello:
			h, err := codec.ParseHello(frame)
			if err != nil {
				return out, used, notifies, err
			}
			out = codec.AppendAgentHello(out, h.MaxFrameSize)
		default:
			return out, used, notifies, fmt.Errorf("the floor does not know %s", frame.Type)
		}
		used += size
	}
}

// learn serialises the request in frame as often as it fits a batch.
func (f *Floor) learn(frame codec.Frame) error {
	reqs, _, err := codec.AppendRequests(nil, frame.Payload)
	if err != nil || len(reqs) == 0 {
		return errors.New("the first NOTIFY has no request")
	}
	block, err := floorBlock(reqs[0], f.batch)
	if err == nil {
		f.request.CompareAndSwap(nil, &block)
	}
	return err
}

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

// silent is a logger for gnet, whose end says all there is to say.
type silent struct{}

func (silent) Debugf(string, ...any) {}
func (silent) Infof(string, ...any)  {}
func (silent) Warnf(string, ...any)  {}
func (silent) Errorf(string, ...any) {}
func (silent) Fatalf(string, ...any) {}
