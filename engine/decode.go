package engine

import (
	"errors"

	"github.com/mirrorgate/mirrorgate/codec"
)

// arrival is a NOTIFY whose ACK is on its way, and which has yet to be decoded.
type arrival struct {
	payload []byte // borrowed from the read, or from a buffer that the wake holds
	size    int    // bytes, of the frame or of all fragments together
	buffer  int    // bytes of HAProxy's buffer that it came out of
	reject  codec.RejectReason
}

// decode makes requests of the NOTIFYs of w, in their order. The ACKs do not
// depend on it: HAProxy waits for those whatever it sent.
func (w *wake) decode() {
	for i := range w.arrivals {
		a := &w.arrivals[i]
		if a.reject == codec.RejectNone {
			a.reject = w.appendRequests(a)
		}
		if a.reject != codec.RejectNone {
			w.reqs = append(w.reqs, codec.Request{Reject: a.reject})
		}
	}
}

// appendRequests adds the requests in a, or returns why there are none.
func (w *wake) appendRequests(a *arrival) codec.RejectReason {
	first := len(w.reqs)
	reqs, others, err := codec.AppendRequests(w.reqs, a.payload)
	if err != nil {
		if errors.Is(err, codec.ErrOversize) {
			return codec.RejectOversize
		}
		return codec.RejectMalformed
	}
	w.reqs = reqs
	for i := range reqs[first:] {
		r := &reqs[first+i]
		r.Full = mayBeCut(r, a.size, a.buffer)
	}
	if others > 0 {
		w.ignored += others
		w.others = append(w.others, a.payload)
	}
	return codec.RejectNone
}
