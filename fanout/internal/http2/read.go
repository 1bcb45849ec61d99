package http2

import "bytes"

// Event is what happened to a stream.
type Event struct {
	Slot   int       // of the stream; -1: nothing happened
	Status int       // the final response's status code came; 0: not now
	GRPC   int       // grpc-status, which may come with the status or in trailers
	Block  []byte    // the header block that came, borrowed from the Conn or the bytes read
	Data   []byte    // of the body, if the request wanted it; likewise
	End    StreamEnd // not StreamOpen: the slot is free again
	Code   ErrCode   // with StreamReset
}

// StreamEnd says how a stream ended.
type StreamEnd uint8

// The ends.
const (
	StreamOpen        StreamEnd = iota
	StreamDone                  // the response is complete
	StreamReset                 // by RST_STREAM of the peer
	StreamUnprocessed           // surely not processed, by GOAWAY or RST_STREAM (RFC 9113 section 8.7)
	StreamMalformed             // what came is no response (RFC 9113 section 8.1.1)
	StreamCut                   // the body is longer than StreamWindow
)

var nothing = Event{Slot: -1, GRPC: NoGRPCStatus}

// Read takes frames from b until something happens to a stream, and returns how
// many bytes it took. If nothing happens it leaves less than MaxRest bytes, which
// must be given again with more behind them. While something happens there may be
// more without any bytes, so the caller goes on until nothing does. b stays the
// caller's. err is a *[ConnError]; the connection is of no use then.
func (c *Conn) Read(b []byte) (n int, ev Event, err error) {
	if ev = c.sweep(); ev.Slot >= 0 {
		return 0, ev, nil
	}
	for {
		if c.data.left > 0 {
			taken, ev := c.readData(b[n:])
			if n += taken; ev.Slot >= 0 {
				return n, ev, nil
			}
		}
		if len(b)-n < frameHeader {
			return n, nothing, c.checkStart(b[n:])
		}
		taken, ev, err := c.readFrame(b[n:])
		n += taken
		if err == nil && len(c.out) > maxOut || c.idle > maxIdle {
			err = ErrFlood
		}
		if err != nil || ev.Slot >= 0 {
			return n, ev, err
		}
		if taken == 0 {
			return n, nothing, nil
		}
		if ev = c.sweep(); ev.Slot >= 0 {
			return n, ev, nil
		}
	}
}

const (
	// maxIdle is how many frames that serve no request may come in a row.
	maxIdle = 10_000
	// maxOut is how many bytes may wait that a peer does not read though it asked for
	// them.
	maxOut = 32 << 10
)

var http1 = []byte("HTTP/1")

// checkStart finds out from a few bytes that a peer speaks another protocol.
func (c *Conn) checkStart(b []byte) error {
	if !c.settled && len(b) >= len(http1) && bytes.HasPrefix(b, http1) {
		return ErrNotHTTP2
	}
	return nil
}

// readFrame takes the frame at the start of b, if it is whole; of DATA only what
// stands before the body.
func (c *Conn) readFrame(b []byte) (n int, ev Event, err error) {
	h := readHeader(b)
	if !c.settled && (h.kind != frameSettings || h.flags&flagAck != 0) {
		if bytes.HasPrefix(b, http1) {
			return 0, nothing, ErrNotHTTP2
		}
		return 0, nothing, ErrNoSettings
	}
	if h.length > minMaxFrame {
		return 0, nothing, ErrFrameSize
	}
	if (c.block.stream != 0) != (h.kind == frameContinuation) || h.kind == frameContinuation && h.stream != c.block.stream {
		return 0, nothing, ErrFrameOrder
	}
	if h.kind == frameData {
		return c.startData(b, h)
	}
	n = frameHeader + h.length
	if len(b) < n {
		return 0, nothing, nil
	}
	ev = nothing
	p := b[frameHeader:n]
	c.idle++
	switch h.kind {
	case frameHeaders:
		ev, err = c.readHeaders(h, p)
	case frameContinuation:
		ev, err = c.readContinuation(h, p)
	case frameReset:
		ev, err = c.readReset(h, p)
	case frameWindowUpdate:
		ev, err = c.readWindowUpdate(h, p)
	case frameSettings:
		err = c.readSettings(h, p)
	case framePing:
		err = c.readPing(h, p)
	case frameGoAway:
		err = c.readGoaway(h, p)
	case framePushPromise:
		err = ErrPush
	case framePriority:
		err = checkPriority(h)
	}
	return n, ev, err
}
