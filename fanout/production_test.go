package fanout

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/mirrorgate/mirrorgate/codec"
	"github.com/mirrorgate/mirrorgate/fanout/internal/wire"
)

// answeredWith makes a request for a path that production answered with the status.
func answeredWith(status uint16, path string, id string) codec.Request {
	r := request("GET", path, "", "host", "h")
	r.Production = codec.ProductionResponse{Status: status, ID: []byte(id)}
	return r
}

// compared returns the comparisons of a target that are not zero.
func compared(tg *target) (text string) {
	m := tg.metrics.production
	for r, counter := range m.results {
		if n := counter.Get(); n > 0 {
			text += fmt.Sprintf("%s=%d ", statusResult(r), n)
		}
	}
	for reason, counter := range m.unpaired[dropNone+1:] {
		if n := counter.Get(); n > 0 {
			text += fmt.Sprintf("unpaired %s=%d ", dropNone+1+dropReason(reason), n)
		}
	}
	for i := range m.statuses {
		for j, counter := range m.statuses[i] {
			if n := counter.Get(); n > 0 {
				text += fmt.Sprintf("%s/%s=%d ", className(i), className(j), n)
			}
		}
	}
	return text
}

// serveStatus answers each request with the status that stands last in its path.
func (c *rawConn) serveStatus() {
	for seen := c.next(); seen != ""; seen = c.next() {
		c.send("HTTP/1.1 " + seen[len(seen)-3:] + " X\r\nContent-Length: 2\r\n\r\nok")
	}
}

// Each answer is compared once with that of its own request, also in a batch and
// at several targets; without a status nothing is.
func TestAnswersAreCompared(t *testing.T) {
	a, b := listen(t, (*rawConn).serveStatus), listen(t, func(c *rawConn) { c.serve(ok) })
	f := newFanout(t, nil, "a="+a.url+",conns=1", "b="+b.url)
	for _, tg := range f.targets {
		tg.hold()
	}
	f.Submit([]codec.Request{
		answeredWith(200, "/200", ""), answeredWith(200, "/404", ""), answeredWith(404, "/404", ""), answeredWith(200, "/500", ""),
		answeredWith(503, "/200", ""), answeredWith(502, "/503", ""), answeredWith(0, "/500", ""), answeredWith(200, "/200", ""),
	})
	for _, tg := range f.targets {
		tg.letGo()
	}
	drain(t, f)
	want := func(tg *target, want string) {
		t.Helper()
		if got := compared(tg); got != want {
			t.Errorf("target %s: %s, want %s", tg.cfg.Name, got, want)
		}
	}
	want(f.targets[0], "same_status=3 status=4 2xx/2xx=2 2xx/4xx=1 2xx/5xx=1 4xx/4xx=1 5xx/2xx=1 5xx/5xx=1 ")
	want(f.targets[1], "same_status=4 status=3 2xx/2xx=4 4xx/2xx=1 5xx/2xx=2 ")
}

// A target that gives no response differs, whatever production's was; a request
// that it was not sent has no pair, wherever it was dropped.
func TestNoResponseIsCompared(t *testing.T) {
	rt := listen(t, func(c *rawConn) { c.next() })
	f := newFanout(t, nil, rt.url+",queue=2")
	f.targets[0].hold()
	f.Submit([]codec.Request{answeredWith(200, "/", ""), answeredWith(503, "/", ""), answeredWith(200, "/", ""), answeredWith(0, "/", "")})
	f.targets[0].letGo()
	drain(t, f)
	if got := compared(f.targets[0]); got != "error=2 unpaired queue_full=1 " {
		t.Error(got)
	}
	if all := f.Differences(); len(all) > 0 {
		t.Errorf("differences: %+v", all)
	}
}

// By how much a target is slower or faster goes to the histogram of its side;
// an unknown time to none.
func TestTimesAreCompared(t *testing.T) {
	rt := listen(t, func(c *rawConn) { c.serve(ok) })
	f := newFanout(t, nil, rt.url)
	for _, ms := range []uint32{0, 1000 * 3600, math.MaxUint32} {
		r := answeredWith(200, "/", "")
		r.Production.Timed, r.Production.Milliseconds = true, ms
		f.Submit([]codec.Request{r, answeredWith(200, "/", "")})
	}
	drain(t, f)
	f.targets[0].metrics.production.difference(-2_400_000)
	f.targets[0].metrics.production.difference(2_600_000)
	page := bytes.NewBufferString("\n")
	f.options.Metrics.WritePrometheus(page)
	for _, line := range []string{
		`count{target="t1",mirror="slower"} 2`, `count{target="t1",mirror="faster"} 3`,
		`bucket{target="t1",mirror="faster",le="0.001"} 0`, `bucket{target="t1",mirror="faster",le="0.0025"} 1`,
		`bucket{target="t1",mirror="faster",le="10"} 1`, `bucket{target="t1",mirror="faster",le="+Inf"} 3`,
	} {
		if !strings.Contains(page.String(), "\nmirrorgate_compare_duration_difference_seconds_"+line+"\n") {
			t.Errorf("%s is not in\n%s", line, page.String())
		}
	}
}

// What is kept for the comparison has its place in the payload's size, so that
// it is counted as memory, and never goes out.
func TestPrimaryIsKept(t *testing.T) {
	f := newFanout(t, nil, "http://t")
	defer drain(t, f)
	check := func(id string, want int) {
		t.Helper()
		r := request("GET", "/", "")
		var p wire.Prepared
		f.prepare(&p, &r)
		// The request alone would fill its class of buffers to the last byte.
		r.Body = make([]byte, 512-payloadBytes(&p, false))
		r.Production = codec.ProductionResponse{Status: 200, ID: []byte(id)}
		f.prepare(&p, &r)
		pl := serialise(f, &p)
		if pl.status != 200 || string(pl.id()) != id[:want] || pl.cost() != payloadCost(payloadBytes(&p, false)) {
			t.Errorf("id of %d bytes is kept as %q in %d bytes, want %d", len(id), pl.id(), pl.cost(), payloadCost(payloadBytes(&p, false)))
		}
		if text := sent(t, f, r); strings.Contains(text, "idid") {
			t.Errorf("the id goes out: %q", text)
		}
	}
	// Nothing is left of it in a payload that is used again.
	r, plain := answeredWith(200, "/", "id"), answeredWith(0, "/", "")
	var p wire.Prepared
	f.prepare(&p, &r)
	first := serialise(f, &p)
	first.unref()
	f.payloads.put(first)
	f.prepare(&p, &plain)
	again := serialise(f, &p)
	if again != first || again.status != 0 {
		t.Errorf("a payload that is used again (%v) has the status %d", again == first, again.status)
	}
	check("", 0)
	check(strings.Repeat("id", 10), 20)
	check(strings.Repeat("id", 200), maxID)
}
