package fanout

import (
	"errors"

	"github.com/mirrorgate/mirrorgate/fanout/internal/http1"
)

// errorKind says how a request that was sent ended without a response.
type errorKind uint8

const (
	errorTimeout errorKind = iota
	errorReset
	errorProtocol
	errorTLS
	errorAborted
	errorKinds
)

func (k errorKind) String() string {
	return [...]string{"timeout", "reset", "protocol", "tls", "aborted"}[k]
}

// The classes of status codes: 1xx to 5xx, and other for 600 to 999.
const (
	classOther  = 5
	codeClasses = 6
)

func codeClass(code int) int { return min(code/100-1, classOther) }

func className(class int) string {
	return [codeClasses]string{"1xx", "2xx", "3xx", "4xx", "5xx", "other"}[class]
}

// results collects how requests ended, so that they are counted, and their
// payloads given back, once for all.
type results struct {
	dropped   [dropReasons]int
	responses [codeClasses]int
	errors    [errorKinds]int
	compared  [comparisons]int
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

// settle counts the results and makes them empty, but for what goes back.
func (t *target) settle(r *results) {
	if r.ended == 0 {
		return
	}
	t.metrics.countDropped(&r.dropped)
	sent := 0
	for i, n := range r.responses {
		if n > 0 {
			t.metrics.responses[i].Add(n)
			sent += n
		}
	}
	for i, n := range r.errors {
		if n > 0 {
			t.metrics.errors[i].Add(n)
			sent += n
		}
	}
	t.metrics.compared.count(&r.compared)
	t.held.Add(-r.left)
	t.memory.payloads.Add(-r.freed)
	t.payloads.put(r.free)
	// Last, for it is what takes requests off those in flight.
	t.metrics.sent.Add(sent)
	*r = results{memo: r.memo, back: r.back, first: r.first, whole: r.whole, cut: r.cut}
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
	r.end(e)
}

func (r *results) fail(e *entry, kind errorKind) {
	r.errors[kind]++
	r.end(e)
}

// response counts the response to the current request on c, which took so many
// nanoseconds.
func (r *results) response(c *conn, code int, took int64) {
	t, e := c.t, &c.batch[c.done]
	r.responses[codeClass(code)]++
	if c.done == 0 && (r.first == 0 || took < r.first) {
		r.first = max(took, 1)
	}
	if e.status != 0 {
		r.compare(t, e.payload, code, took)
	}
	t.metrics.duration.Update(float64(took) / 1e9)
	r.end(e)
}

// noResponse ends the current request on c, which was sent, for an error.
func (r *results) noResponse(c *conn, err error) {
	t, e := c.t, &c.batch[c.done]
	switch {
	case t.aborting.Err() != nil:
		r.fail(e, errorAborted)
	case errors.As(err, new(*http1.ProtocolError)):
		t.failures.note(t, errorProtocol.String(), err)
		r.fail(e, errorProtocol)
	case isTimeout(err):
		t.trouble(c, err)
		r.fail(e, errorTimeout)
	case !c.proven && tlsAlert(err):
		t.trouble(c, err)
		r.fail(e, errorTLS)
	default:
		t.trouble(c, err)
		r.resend(t, e, e.idempotent())
	}
}

// resend gives a request that was sent and got no response back to the queue, if
// it may be sent again and was not yet.
func (r *results) resend(t *target, e *entry, allowed bool) {
	switch {
	case t.aborting.Err() != nil:
		r.fail(e, errorAborted)
	case allowed && !e.retried():
		r.again(e)
	default:
		r.fail(e, errorReset)
	}
}

// unsent ends a request of which nothing was written, since its connection ended
// for that error.
func (r *results) unsent(t *target, e *entry, err error) {
	switch {
	case t.aborting.Err() != nil:
		r.drop(e, t.drainReason)
	case !e.retried():
		r.again(e)
	case tlsAlert(err):
		r.drop(e, dropTLS)
	default:
		r.drop(e, dropDial)
	}
}

func (r *results) again(e *entry) {
	e.flags |= flagRetried
	r.back = append(r.back, *e)
	e.payload = nil
}
