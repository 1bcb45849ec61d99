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
	for c, counter := range tg.metrics.compared.results {
		if n := counter.Get(); n > 0 {
			text += fmt.Sprintf("%s=%d ", comparison(c), n)
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

func TestCompareCodes(t *testing.T) {
	f := func(primary, mirror int, want comparison) {
		t.Helper()
		if got := compareCodes(primary, mirror); got != want {
			t.Errorf("%d and %d: %s, want %s", primary, mirror, got, want)
		}
	}
	f(200, 200, compareSame)
	f(503, 503, compareSame)
	f(200, 404, compareDiffers)
	f(200, 204, compareDiffers)
	f(502, 503, compareDiffers)
	f(500, 200, comparePrimary5xx)
	f(599, 404, comparePrimary5xx)
	f(200, 500, compareMirror5xx)
	f(404, 503, compareMirror5xx)
	f(600, 500, compareMirror5xx)
	f(999, 200, compareDiffers)
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
	want(f.targets[0], "same=3 differs=2 primary_5xx=1 mirror_5xx=1 ")
	want(f.targets[1], "same=4 differs=1 primary_5xx=2 ")
}

// A target that gives no answer is not compared.
func TestNoAnswerIsNotCompared(t *testing.T) {
	rt := listen(t, func(c *rawConn) { c.next() })
	f := newFanout(t, nil, rt.url)
	f.Submit([]codec.Request{answeredWith(200, "/", "")})
	drain(t, f)
	if got := compared(f.targets[0]); got != "" {
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
	f.targets[0].metrics.compared.difference(-2_400_000)
	f.targets[0].metrics.compared.difference(2_600_000)
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
	again := newBatch(f).serialise(&p, 1)
	if again != first || again.status != 0 {
		t.Errorf("a payload that is used again (%v) has the status %d", again == first, again.status)
	}
	check("", 0)
	check(strings.Repeat("id", 10), 20)
	check(strings.Repeat("id", 200), maxID)
}
