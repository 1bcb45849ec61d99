package fanout

import "github.com/mirrorgate/mirrorgate/fanout/internal/http1"

// results collects how requests ended, so that they are counted, and their
// payloads given back, once for all.
type results struct {
	dropped   [dropReasons]int
	responses [codeClasses]int
	errors    [errorKinds]int
	beside    besideProduction
	free      *payload // a chain of those that nobody holds any more
	freed     int64    // their bytes
	left      int64    // bytes of payload that this target holds no more
	ended     int64    // requests

	memo  http1.Memo // of the responses that are read
	back  []entry    // what is sent once more
	first int64      // the shortest time to the first response of a batch, in nanoseconds; 0: none came
	whole bool       // a batch of several requests was answered wholly
	cut   int        // batches of several requests that ended right behind the first response
}

// end gives the entry's payload back; its outcome is counted by the caller.
func (r *results) end(e *entry) {
	r.ended++
	cost := e.cost()
	r.left += cost
	if e.unref() {
		r.freed += cost
		e.next = r.free
		r.free = e.payload
	}
	e.payload = nil
}

func (r *results) drop(e *entry, reason dropReason) {
	r.dropped[reason]++
	r.beside.dropped(e.payload, reason)
	if e.flags&flagCompared != 0 {
		e.pair.dropped(e.side, reason)
	}
	r.end(e)
}

func (r *results) fail(e *entry, kind errorKind) {
	r.errors[kind]++
	r.beside.failed(e.payload, kind)
	if e.flags&flagCompared != 0 {
		e.pair.failed(e.side, kind)
	}
	r.end(e)
}

// came notes how fast the target answers.
func (r *results) came(took int64) {
	if r.first == 0 || took < r.first {
		r.first = max(took, 1)
	}
}

func (r *results) again(e *entry) {
	e.flags |= flagRetried
	r.back = append(r.back, *e)
	e.payload = nil
}

// unprocessed gives a request back that the target says it did not process: it may
// be sent again whatever it is.
func (r *results) unprocessed(e *entry) {
	r.back = append(r.back, *e)
	e.payload = nil
}
