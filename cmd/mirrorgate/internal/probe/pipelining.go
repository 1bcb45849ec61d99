package probe

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"
)

const (
	// batch is how many requests are sent in one go.
	batch             = 16
	pipelinedRequests = batch + 1 // one more sees whether the connection is still in step
	markerRequests    = 2
	writtenPosts      = 3
	postRequests      = 6
)

// markers are requests as harmless as a GET of which the response may differ, so
// that responses in another order are noticed: RFC 9110 sections 9.3.7 and 13.1.2.
var markers = [markerRequests]request{
	{method: http.MethodOptions},
	{method: http.MethodGet, fields: []string{"If-None-Match: *"}},
}

// step is a request and what its response looks like when it is sent alone.
type step struct {
	request
	want print
}

// pipelining sends GETs in one go, with a marker as every third if there is one.
func (p *prober) pipelining(ctx context.Context, alone print) Exchange {
	steps := make([]step, batch)
	marker, ordered := p.marker(ctx, alone)
	for i := range steps {
		steps[i] = step{get, alone}
		if ordered && i%3 == 1 {
			steps[i] = marker
		}
	}
	x := p.exchange(ctx, steps, step{get, alone})
	x.Ordered = ordered
	return x
}

func (p *prober) marker(ctx context.Context, alone print) (step, bool) {
	for _, m := range markers {
		r, err := p.ask(ctx, m)
		marked := r.print()
		if alone.length == varies {
			marked = marked.withoutLength()
		}
		if err == nil && !r.closes && !marked.is(alone) {
			return step{m, marked}, true
		}
	}
	return step{}, false
}

// behindPOST sends a POST with a GET behind it, and one between two GETs.
func (p *prober) behindPOST(ctx context.Context, alone, posted print) []Exchange {
	g, w := step{get, alone}, step{post(3), posted}
	exchanges := []Exchange{p.exchange(ctx, []step{w, g}), p.exchange(ctx, []step{g, w, g})}
	for i := range exchanges {
		exchanges[i].Ordered = !alone.is(posted)
	}
	return exchanges
}

// exchange sends steps in one go and judges what comes; if all of it is right,
// more steps follow, each after the response to the one before.
func (p *prober) exchange(ctx context.Context, steps []step, more ...step) (x Exchange) {
	x.Sent = len(steps)
	c, err := p.open(ctx, "http/1.1")
	if err != nil {
		x.Verdict, x.Detail = Unanswered, problem(err)
		return x
	}
	defer c.finish()
	requests := make([]request, len(steps))
	for i, s := range steps {
		requests[i] = s.request
	}
	c.send(requests...)
	if x.read(c, steps); x.Verdict != Right {
		return x
	}
	for _, s := range more {
		if c.send(s.request); !x.next(c, s, nil) {
			x.Detail = "then, out of step: " + x.Detail
			return x
		}
	}
	return x
}

// read judges responses until one is not right.
func (x *Exchange) read(c *conn, steps []step) {
	for i, s := range steps {
		if !x.next(c, s, steps[i+1:]) {
			return
		}
		x.Right++
	}
}

// next judges one response; later has the steps of which responses have to come
// after it.
func (x *Exchange) next(c *conn, s step, later []step) bool {
	since := time.Now()
	r, err := c.receive(s.method)
	x.After = time.Since(since).Seconds()
	fits := func(s step) bool { return s.want.is(r.print()) }
	switch {
	case err != nil:
		x.Verdict, x.Detail = verdictOf(err, x.Right), problem(err)
	case fits(s) && r.closes && len(later) > 0:
		x.Right++
		x.Verdict, x.Detail = Announces, "Connection: close"
	case fits(s):
		x.Verdict, x.After = Right, 0
		return true
	case slices.ContainsFunc(later, fits):
		x.Verdict, x.Detail = Mixes, fmt.Sprintf("%s is the response to a later request", r.print())
	default:
		x.Verdict, x.Detail = Otherwise, fmt.Sprintf("%s, alone it gets %s", r.print(), s.want)
	}
	return false
}

func verdictOf(err error, right int) Verdict {
	if right == 0 {
		return Unanswered
	}
	return map[end]Verdict{silent: Stalls, closed: Closes, reset: Closes, garbled: Misframes}[endOf(err)]
}
