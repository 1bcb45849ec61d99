package engine

import (
	"sync"

	"github.com/mirrorgate/mirrorgate/codec"
)

// Mirror takes the requests that arrived in one wake-up of an event loop. The
// slice, and all that its requests point to, die when Submit returns. It is
// called by several event loops at once and must not block.
type Mirror interface{ Submit([]codec.Request) }

// wake is what one wake-up of an event loop produces: first the replies, then,
// once those are written, the requests.
type wake struct {
	out      []byte          // replies, in order
	helloLen int             // bytes of out up to the end of the AGENT-HELLO
	arrivals []arrival       // acknowledged in out, in order, or given up
	reqs     []codec.Request // what decode makes of them
	others   [][]byte        // payloads with messages that are ignored
	held     []*buffer       // what all of them may point into, besides the read
	copied   []byte          // and what small payloads were copied to, see holdPayload

	steer   uint32          // what the ACKs tell HAProxy to send, see Config.Steer; 0: nothing
	frames  [frameKinds]int // by kind
	acks    int             // in out
	ignored int             // messages that carry neither a method nor a path
	units   int             // frames, or whole fragmented NOTIFYs, that were finished
	sent    codec.Status    // of our AGENT-DISCONNECT, if it is not a normal one
	fault   fault
}

// fault is what the log should know of a connection that went wrong.
type fault struct {
	what   string // a constant
	status codec.Status
	size   uint64 // bytes of the frame, if that was what is wrong
}

// steerVar is the variable of HAProxy that Config.Steer goes to.
const steerVar = "rate"

const (
	maxPooledOut  = 256 << 10 // bytes
	maxPooledReqs = 4 << 10   // requests, and NOTIFYs

	// maxCopied bounds wake.copied, in bytes: a read and one payload begun before it.
	maxCopied = readSize + firstBuffer
)

var wakes = sync.Pool{New: func() any { return new(wake) }}

func acquireWake() *wake { return wakes.Get().(*wake) }

// releaseWake gives w, and all that its requests point to, back.
func releaseWake(w *wake) {
	w.reset()
	if cap(w.out) <= maxPooledOut && max(cap(w.reqs), cap(w.arrivals)) <= maxPooledReqs {
		wakes.Put(w)
	}
}

func (w *wake) reset() {
	for _, b := range w.held {
		releaseBuffer(b)
	}
	*w = wake{out: w.out[:0], arrivals: w.arrivals[:0], reqs: w.reqs[:0], others: w.others[:0], held: w.held[:0], copied: w.copied[:0]}
}

// hold holds b until the requests of w were submitted.
func (w *wake) hold(b *buffer) { w.held = append(w.held, b) }

// holdPayload returns the payload of a fragmented NOTIFY in b, which lives as long as w. A
// read may end thousands of them: small ones share what one read may bring, so that
// their buffers are free at once.
func (w *wake) holdPayload(b *buffer) []byte {
	if b.large != nil || len(b.b) > maxCopied-len(w.copied) {
		w.hold(b)
		return b.b
	}
	if w.copied == nil {
		w.copied = make([]byte, 0, maxCopied)
	}
	start := len(w.copied)
	w.copied = append(w.copied, b.b...)
	releaseBuffer(b)
	return w.copied[start:len(w.copied):len(w.copied)]
}

// ack acknowledges the NOTIFY that f is, or ends.
func (w *wake) ack(f *codec.Frame) {
	w.acks++
	if w.steer == 0 {
		w.out = codec.AppendAck(w.out, f.StreamID, f.FrameID)
		return
	}
	w.out = codec.AppendAckVar(w.out, f.StreamID, f.FrameID, steerVar, uint64(w.steer))
}

// reject counts a NOTIFY that will not be decoded.
func (w *wake) reject(r codec.RejectReason) { w.arrivals = append(w.arrivals, arrival{reject: r}) }
