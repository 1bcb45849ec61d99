package fanout

import (
	"errors"
	"time"

	"github.com/mirrorgate/mirrorgate/fanout/internal/http1"
)

// response counts the response to a request, which took so many nanoseconds.
func (r *results) response(t *target, e *entry, code int, took int64) {
	r.responses[codeClass(code)]++
	r.beside.response(t, e.payload, code, took)
	t.metrics.duration.Update(float64(took) / 1e9)
	r.end(e)
}

// answered follows the target's pace, and its habits. Any status closes the
// breaker.
func (t *target) answered(r *results) {
	now := t.now()
	t.mu.Lock()
	if r.first > 0 {
		t.pace.add(r.first)
	}
	single := t.pipelining.ended(now, r.whole, r.cut)
	if single > 0 {
		t.batchLimit.Store(1)
	}
	closed := r.first > 0 && t.breaker.succeed()
	opened := t.breaker.opened
	t.mu.Unlock()
	r.first, r.whole, r.cut = 0, false, 0
	if single > 0 {
		t.logSingle(single)
	}
	if closed {
		t.log.Info("breaker closed: the target answers again", "target", t.cfg.Name,
			"after", time.Duration(now-opened).Round(time.Millisecond))
	}
}

// logSingle tells of single requests for that time.
func (t *target) logSingle(single int64) {
	until := any("the next reload")
	if single != forever {
		until = time.Now().Add(time.Duration(single)).Format(time.TimeOnly)
	}
	t.log.Warn("target does not pipeline: its connections end behind the first response of a batch; sending requests one by one",
		"target", t.cfg.Name, "until", until)
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
	t.countProduction(&r.beside)
	t.held.Add(-r.left)
	t.memory.payloads.Add(-r.freed)
	t.payloads.put(r.free)
	// Last, for it is what takes requests off those in flight.
	t.metrics.sent.Add(sent)
	*r = results{memo: r.memo, back: r.back, first: r.first, whole: r.whole, cut: r.cut}
}
