package bench

import (
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
	targets []*floorTarget
	batch   int
}

// FloorConfig says what a Floor relays to whom.
type FloorConfig struct {
	Listen  string   // "host:port"
	Loops   int      // event loops; 0: 1
	Targets []string // "host:port" of sinks in SinkOK or SinkDelay mode
	Conns   int      // connections to each target
	Batch   int      // requests in flight on each of them
	Queue   int      // requests that wait for each target at the most; the newest is dropped
}

// StartFloor serves until Close. The errors are those of the configuration and
// an address in use.
func StartFloor(cfg FloorConfig) (*Floor, error) {
	if len(cfg.Targets) == 0 || cfg.Conns < 1 || cfg.Batch < 1 || cfg.Queue < 1 {
		return nil, errors.New("the floor needs a target, and conns, batch and queue of 1 or more")
	}
	f := &Floor{booted: make(chan struct{}), ended: make(chan error, 1), batch: cfg.Batch}
	for _, addr := range cfg.Targets {
		f.targets = append(f.targets, newFloorTarget(addr, cfg))
	}
	go func() {
		f.ended <- gnet.Run(f, "tcp://"+cfg.Listen,
			gnet.WithNumEventLoop(max(cfg.Loops, 1)), gnet.WithReuseAddr(true), gnet.WithLogger(silent{}))
	}()
	select {
	case <-f.booted:
		return f, nil
	case err := <-f.ended:
		f.closeTargets()
		return nil, fmt.Errorf("cannot start the floor on %s: %w", cfg.Listen, err)
	}
}

// Close stops the floor, requests in its queues included, and returns once
// nothing of it runs any more.
func (f *Floor) Close() error {
	err := f.eng.Stop(context.Background())
	<-f.ended
	f.closeTargets()
	return err
}

func (f *Floor) closeTargets() {
	for _, t := range f.targets {
		t.close()
	}
}

// Dropped is how many requests found a queue full or lost their connection.
func (f *Floor) Dropped() uint64 {
	var n uint64
	for _, t := range f.targets {
		n += t.dropped.Load()
	}
	return n
}

// OnBoot is called by gnet.
func (f *Floor) OnBoot(eng gnet.Engine) gnet.Action {
	f.eng = eng
	close(f.booted)
	return gnet.None
}

// OnOpen is called by gnet.
func (f *Floor) OnOpen(c gnet.Conn) ([]byte, gnet.Action) {
	c.SetContext(new([]byte))
	return nil, gnet.None
}

// OnTraffic is called by gnet: all that arrived is acknowledged with one write and
// goes to the targets as one batch.
func (f *Floor) OnTraffic(c gnet.Conn) gnet.Action {
	in, err := c.Peek(-1)
	if err != nil {
		return gnet.Close
	}
	scratch := c.Context().(*[]byte)
	out, used, notifies, err := f.reply((*scratch)[:0], in)
	*scratch = out
	if err != nil {
		return gnet.Close
	}
	if len(out) > 0 {
		if _, err := c.Write(out); err != nil {
			return gnet.Close
		}
	}
	if notifies > 0 {
		for _, t := range f.targets {
			t.submit(notifies, *f.request.Load())
		}
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

// silent is a logger for gnet, whose end says all there is to say.
type silent struct{}

func (silent) Debugf(string, ...any) {}
func (silent) Infof(string, ...any)  {}
func (silent) Warnf(string, ...any)  {}
func (silent) Errorf(string, ...any) {}
func (silent) Fatalf(string, ...any) {}
