package fanout

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/mirrorgate/mirrorgate/codec"
	"github.com/mirrorgate/mirrorgate/fanout/internal/wire"
)

// newFanout makes a Fanout from target specifications; edit may be nil.
func newFanout(t testing.TB, edit func(*Config), specs ...string) *Fanout {
	t.Helper()
	cfg := Config{Memory: 64 << 20, Metrics: metrics.NewSet(), Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}
	cfg.Targets = parseTargets(t, specs)
	if edit != nil {
		edit(&cfg)
	}
	f, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func parseTargets(t testing.TB, specs []string) (targets []TargetConfig) {
	t.Helper()
	for i, spec := range specs {
		tc, err := ParseTarget(spec, DefaultTarget(), i+1)
		if err != nil {
			t.Fatal(err)
		}
		targets = append(targets, tc)
	}
	return targets
}

func drain(t testing.TB, f *Fanout) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	f.Drain(ctx)
	checkSums(t, f)
	if n := len(f.processors); n != 0 {
		t.Errorf("%d places are taken at the end", n)
	}
	accepted := f.metrics.received.Get()
	for _, r := range codec.Rejects {
		accepted -= f.metrics.rejected[r].Get()
	}
	for _, g := range f.groups {
		if n := g.metrics.accepted.Get(); n != accepted {
			t.Errorf("group %s: %d of %d accepted", g.name, n, accepted)
		}
	}
}

// checkSums asserts the accounting at rest, of groups and targets that have left
// as well.
func checkSums(t testing.TB, f *Fanout) {
	t.Helper()
	for name, g := range f.counted.groups {
		sum := g.sampledOut.Get()
		for _, c := range g.filtered[filterNone+1:] {
			sum += c.Get()
		}
		for _, m := range g.targets {
			sum += m.selected.Get()
		}
		if sum != g.accepted.Get() {
			t.Errorf("group %s: accepted %d, but filtered + sampled out + selected = %d", name, g.accepted.Get(), sum)
		}
	}
	for name, m := range f.counted.targets {
		var answered uint64
		for _, c := range m.responses {
			answered += c.Get()
		}
		for _, c := range m.errors {
			answered += c.Get()
		}
		if dropped := m.droppedTotal(); m.selected.Get() != m.sent.Get()+dropped {
			t.Errorf("target %s: selected %d, but sent %d + dropped %d", name, m.selected.Get(), m.sent.Get(), dropped)
		}
		if m.sent.Get() != answered {
			t.Errorf("target %s: sent %d, but responses + errors = %d", name, m.sent.Get(), answered)
		}
	}
	if len(f.leaving) > 0 {
		t.Errorf("%d targets have not left", len(f.leaving))
	}
	for _, tg := range f.targets {
		inflight, queued, held := tg.inFlight(), tg.length.Load(), tg.held.Load()
		if inflight != 0 || queued != 0 || held != 0 {
			t.Errorf("target %s at rest: %d in flight, %d queued, %d bytes held", tg.cfg.Name, inflight, queued, held)
		}
		if n := tg.client.ConnsCount(); n != 0 {
			t.Errorf("target %s at rest: %d connections", tg.cfg.Name, n)
		}
	}
	if f.memory.payloads.Load() != 0 {
		t.Errorf("payload bytes at rest: %d", f.memory.payloads.Load())
	}
}

// request makes a codec.Request; headers are name, value, name, value, …
func request(method, target, body string, headers ...string) codec.Request {
	var raw []byte
	for i := 0; i < len(headers); i += 2 {
		raw = codec.AppendHeader(raw, headers[i], headers[i+1])
	}
	return codec.Request{
		Method: []byte(method), Target: []byte(target), Version: []byte("1.1"),
		Headers: codec.Headers{Raw: codec.AppendHeadersEnd(raw)}, Body: []byte(body), BodySize: -1,
	}
}

// requests makes requests from "METHOD /path" or "METHOD /path body".
func requests(lines ...string) []codec.Request {
	var reqs []codec.Request
	for _, line := range lines {
		var method, path, body string
		fmt.Sscan(line, &method, &path, &body)
		reqs = append(reqs, request(method, path, body, "host", "h"))
	}
	return reqs
}

func TestEachGroupGetsACopy(t *testing.T) {
	serve := func(c *rawConn) { c.serve(ok) }
	a, b, c := listen(t, serve), listen(t, serve), listen(t, serve)
	f := newFanout(t, nil, a.url, b.url, "reads="+c.url+",methods=GET+HEAD")
	f.Submit(requests("GET /1", "POST /2 body"))
	f.Submit(requests("PUT /3 body", "HEAD /4"))
	f.Submit(nil)
	drain(t, f)

	want := func(rt *rawTarget, requests ...string) {
		t.Helper()
		if got := rt.requests(); !slices.Equal(sorted(got), sorted(requests)) {
			t.Errorf("got %q, want %q", got, requests)
		}
	}
	want(a, "GET /1", "POST /2 body", "PUT /3 body", "HEAD /4")
	want(b, "GET /1", "POST /2 body", "PUT /3 body", "HEAD /4")
	want(c, "GET /1", "HEAD /4")
	if n := f.groups[2].metrics.filtered[filterMethod].Get(); n != 2 {
		t.Errorf("filtered %d by method, want 2", n)
	}
	if n := f.metrics.received.Get(); n != 4 {
		t.Errorf("received %d, want 4", n)
	}
}

// Each target takes its own copy out of the shared payload, whatever happens to
// the caller's bytes meanwhile.
func TestPayloadIsACopy(t *testing.T) {
	a, b := listen(t, func(c *rawConn) { c.serve(ok) }), listen(t, func(c *rawConn) { c.serve(ok) })
	f := newFanout(t, nil, a.url+"/a", b.url+"/b")
	for _, tg := range f.targets {
		tg.hold()
	}
	reqs := requests("POST /path body")
	f.Submit(reqs)
	clear(reqs[0].Method)
	clear(reqs[0].Target)
	clear(reqs[0].Body)
	clear(reqs[0].Headers.Raw)
	if x, y := f.targets[0].queue.front().payload, f.targets[1].queue.front().payload; x != y {
		t.Error("two targets have two copies of a payload")
	}
	for _, tg := range f.targets {
		tg.letGo()
	}
	drain(t, f)
	if x, y := a.requests(), b.requests(); !slices.Equal(x, []string{"POST /a/path body"}) || !slices.Equal(y, []string{"POST /b/path body"}) {
		t.Errorf("targets got %q and %q", x, y)
	}
}

func TestRejectedIsCountedByReason(t *testing.T) {
	f := newFanout(t, func(c *Config) { c.Memory = 1 }, "http://127.0.0.1:1", "http://127.0.0.1:1")
	truncated := request("POST", "/", "abc", "content-length", "4")
	f.Submit([]codec.Request{
		{Reject: codec.RejectMalformed}, {Reject: codec.RejectOversize}, {Reject: codec.RejectAborted},
		truncated, truncated, request("GET", "/", "", "x-mirrored-by", "mirrorgate"),
		request("CONNECT", "h:443", ""), request("GE T", "/", ""), request("GET", "/", ""),
	})
	for reason, want := range map[codec.RejectReason]uint64{
		codec.RejectMalformed: 2, codec.RejectOversize: 1, codec.RejectAborted: 1,
		codec.RejectTruncated: 2, codec.RejectLoop: 1, codec.RejectConnect: 1,
	} {
		if got := f.metrics.rejected[reason].Get(); got != want {
			t.Errorf("rejected %d as %s, want %d", got, reason, want)
		}
	}
	for _, tg := range f.targets {
		if got := counts(tg); got != "selected=1 dropped{memory}=1" {
			t.Errorf("target %s: %s", tg.cfg.Name, got)
		}
	}
	drain(t, f)
}

func sorted(s []string) []string {
	s = slices.Clone(s)
	slices.Sort(s)
	return s
}

// serialise makes the payload of a prepared request, with one reference.
func serialise(f *Fanout, p *wire.Prepared) *payload {
	b := newBatch(f)
	defer f.batches.Put(b)
	return b.serialise(b.plan.variants[0].rules, p, 1)
}

func newBatch(f *Fanout) *batch {
	b := f.batches.Get().(*batch)
	b.follow(f.plan.Load())
	return b
}

func (f *Fanout) prepare(p *wire.Prepared, r *codec.Request) codec.RejectReason {
	return f.plan.Load().variants[0].rules.Prepare(p, r)
}
