package fanout

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/mirrorgate/mirrorgate/fanout/compare"
	"github.com/mirrorgate/mirrorgate/fanout/compare/tally"
)

// comparesAll explains whatever differs.
func comparesAll(c *Config) {
	c.Compare = DefaultCompare()
	c.Compare.CPU, c.Compare.Warmup = math.Inf(1), 0
}

// jsonResponse is a response with a body of JSON.
func jsonResponse(body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// found writes what a Fanout counted of a target: results, noise, requests without
// a pair, and the fields that differ by route.
func found(t testing.TB, f *Fanout, target string) string {
	t.Helper()
	s, err := f.Comparison(target)
	if err != nil {
		t.Fatal(err)
	}
	var text []string
	whole := s.Whole()
	for r := range compare.Results {
		if n := whole.Results[r]; n > 0 {
			text = append(text, fmt.Sprintf("%s=%d", r, n))
		}
	}
	for r := range compare.Results {
		if n := whole.Noise[r]; n > 0 {
			text = append(text, fmt.Sprintf("noise:%s=%d", r, n))
		}
	}
	for _, u := range s.Unpaired {
		text = append(text, fmt.Sprintf("%s:%s=%d", u.Side, u.Reason, u.Count))
	}
	for _, r := range s.Routes {
		for _, field := range r.Fields {
			text = append(text, fmt.Sprintf("(%s %s=%d/%d/%d)", r.Name, field.Field, field.Differs, field.Noise, field.Both))
		}
	}
	return strings.Join(text, " ")
}

// checkPairs asserts the accounting of pairs at rest: every request that was
// selected for both has been compared or has a reason why not, and nothing is held.
func checkPairs(t testing.TB, f *Fanout, target string, selected uint64) {
	t.Helper()
	n, err := f.comparison(target)
	if err != nil {
		t.Fatal(err)
	}
	compared, unpaired, noise, noiseless := uint64(0), uint64(0), uint64(0), uint64(0)
	for r := range compare.Results {
		compared += n.metrics.compared[r].Get()
		if n.what.noise != "" {
			noise += n.metrics.noise[r].Get()
		}
	}
	for i, side := range tallySides {
		for reason := unpairedReason(1); reason < unpairedReasons; reason++ {
			if side == tally.NoiseSide {
				noiseless += n.metrics.unpaired[i][reason].Get()
			} else {
				unpaired += n.metrics.unpaired[i][reason].Get()
			}
		}
	}
	if compared+unpaired != selected {
		t.Errorf("%s: %d selected for both, but %d compared and %d unpaired", target, selected, compared, unpaired)
	}
	if n.what.noise != "" && noise+noiseless != compared {
		t.Errorf("%s: %d compared, but %d with a second copy and %d without", target, compared, noise, noiseless)
	}
	m := &f.memory
	if m.responses.Load() != 0 || m.waiting.Load() != 0 || m.payloads.Load() != 0 {
		t.Errorf("held at rest: %d bytes of responses, %d of waiting payloads, %d of payloads", m.responses.Load(), m.waiting.Load(), m.payloads.Load())
	}
}

// TestPairs submits requests to an old version, its second copy and a new one.
func TestPairs(t *testing.T) {
	f := func(name, reqs, options string, v1, v1b, v2 func(c *rawConn), want string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			a, b, c := listen(t, v1), listen(t, v1b), listen(t, v2)
			f := newFanout(t, comparesAll, "v1="+a.url+options, "v1b="+b.url+options, "v2="+c.url+options+",against=v1,noise=v1b")
			all := list(reqs)
			f.Submit(requests(all...))
			drain(t, f)
			if got := found(t, f, "v2"); got != want {
				t.Errorf("found %s, want %s", got, want)
			}
			checkPairs(t, f, "v2", uint64(len(all)))
		})
	}
	serves := func(response string) func(c *rawConn) { return func(c *rawConn) { c.serve(response) } }
	cheap, dear := serves(jsonResponse(`{"price":0.0}`)), serves(jsonResponse(`{"price":19.99}`))
	closes := func(c *rawConn) { c.next() }
	chunked := "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n{\"price\r\n8\r\n\":19.99}\r\n0\r\n\r\n"
	untilClose := func(c *rawConn) {
		c.next()
		c.send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + `{"price":19.99}`)
	}
	const two = "GET /a, POST /b 1"

	f("alike", two, "", dear, dear, dear, "same=2 noise:same=2")
	f("another value", two, "", dear, dear, cheap, "body=2 noise:same=2 (GET /a body: price=1/0/0) (POST /b body: price=1/0/0)")
	f("noise", two, "", dear, cheap, cheap, "body=2 noise:body=2 (GET /a body: price=1/1/1) (POST /b body: price=1/1/1)")
	f("noise alone", two, "", dear, cheap, dear, "same=2 noise:body=2 (GET /a body: price=0/1/0) (POST /b body: price=0/1/0)")
	f("in chunks", two, "", dear, serves(chunked), serves(chunked), "same=2 noise:same=2")
	f("until the end", two, "", dear, dear, untilClose, "same=2 noise:same=2")
	f("batches", "GET /a, GET /b, GET /c, GET /d", ",conns=1,batch=3", dear, serves(chunked), dear, "same=4 noise:same=4")
	f("interim responses", two, "", dear, dear, serves("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"+jsonResponse(`{"price":19.99}`)), "same=2 noise:same=2")
	f("HEAD", "HEAD /a", "", serves("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"), dear, serves("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n"), "same=1 noise:header=1 (HEAD /a header: content-type (extra)=0/1/0)")
	f("status", "GET /a", "", dear, dear, serves("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"),
		"status=1 noise:same=1 (GET /a status: 200 → 401=1/0/0) (GET /a header: content-type (missing)=1/0/0) (GET /a body (type)=1/0/0)")
	f("v2 crashes", two, "", dear, dear, closes, "error=2 noise:same=2 (GET /a error: reset (extra)=1/0/0) (POST /b error: reset (extra)=1/0/0)")
	f("v1 crashes", two, "", closes, dear, dear, "error=2 noise:error=2 (GET /a error: reset (missing)=1/1/1) (POST /b error: reset (missing)=1/1/1)")
	f("both crash", two, "", closes, dear, closes, "uncompared=2 noise:error=2")
	f("a body that breaks", "GET /a", "", dear, dear, func(c *rawConn) {
		c.next()
		c.send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{")
	}, "uncompared=1 noise:same=1")
	f("trailers", "GET /a", "", serves("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nsum: 1\r\n\r\n"), dear,
		serves("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nsum: 2\r\n\r\n"), "header=1 noise:header=1 (GET /a header: content-type (extra)=0/1/0) (GET /a header: sum=1/0/0) (GET /a header: sum (missing)=0/1/0) (GET /a body (type)=0/1/0)")
}

// A request that one of the sides does not get has no pair, at once and for the
// reason of that side; without the second copy the pair counts all the same.
func TestUnpaired(t *testing.T) {
	f := func(name string, break_ func(f *Fanout), want string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			serve := func(c *rawConn) { c.serve(ok) }
			a, b, c := listen(t, serve), listen(t, serve), listen(t, serve)
			f := newFanout(t, comparesAll, "v1="+a.url, "v1b="+b.url, "v2="+c.url+",against=v1,noise=v1b")
			break_(f)
			f.Submit(requests("GET /a", "POST /b 1"))
			drain(t, f)
			if got := found(t, f, "v2"); got != want {
				t.Errorf("found %s, want %s", got, want)
			}
			checkPairs(t, f, "v2", 2)
		})
	}
	pause := func(names ...string) func(f *Fanout) {
		return func(f *Fanout) {
			yes := true
			for _, name := range names {
				if err := f.TuneTarget(name, TargetTuning{Paused: &yes}, 0); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	f("v2 at admission", pause("v2"), "target:paused=2")
	f("v1 at admission", pause("v1"), "against:paused=2")
	f("both at admission", pause("v1", "v2"), "against:paused=2")
	f("v1b at admission", pause("v1b"), "same=2 noise:paused=2")
	f("v2 and v1b at admission", pause("v2", "v1b"), "target:paused=2")
	f("v2 in its queue", func(f *Fanout) { f.targets[2].drain(dropRemoved) }, "target:removed=2")
	f("v1b in its queue", func(f *Fanout) { f.targets[1].drain(dropRemoved) }, "same=2 noise:removed=2")
}

// What goes since a queue is full ends its pair, whichever request that is.
func TestQueueFullIsUnpaired(t *testing.T) {
	for _, policy := range []string{"newest", "oldest"} {
		a, b := listen(t, func(c *rawConn) { c.serve(ok) }), listen(t, func(c *rawConn) { c.serve(ok) })
		f := newFanout(t, comparesAll, "v1="+a.url, "v2="+b.url+",against=v1,queue=2,drop="+policy)
		f.targets[1].hold()
		f.Submit(requests("GET /a", "GET /b", "GET /c"))
		f.Submit(requests("GET /d"))
		f.targets[1].letGo()
		drain(t, f)
		if got := found(t, f, "v2"); got != "same=2 target:queue_full=2" {
			t.Errorf("drop=%s: found %s", policy, got)
		}
		checkPairs(t, f, "v2", 4)
	}
}

// Over TLS responses are kept as they are without.
func TestPairsOverTLS(t *testing.T) {
	a := listen(t, func(c *rawConn) { c.serve(jsonResponse(`{"price":19.99}`)) })
	b := listenTLS(t, nil, func(c *rawConn) { c.serve(jsonResponse(`{"price":19.990}`)) })
	f := newFanout(t, func(c *Config) {
		comparesAll(c)
		b.trust(c)
	}, "v1="+a.url, "v2="+b.url+",against=v1")
	f.Submit(requests("GET /a", "GET /b"))
	drain(t, f)
	if got := found(t, f, "v2"); got != "same=2" {
		t.Errorf("found %s", got)
	}
	checkPairs(t, f, "v2", 2)
}

// Responses that wait for those of the other side get a quarter of the memory: then
// their requests have no pair, and room is left for other requests.
func TestWaitingPairsAreBounded(t *testing.T) {
	a := listen(t, func(c *rawConn) { c.serve(ok) })
	b := listen(t, func(c *rawConn) {
		c.serve("HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n" + strings.Repeat("b", 10_000))
	})
	f := newFanout(t, func(c *Config) {
		comparesAll(c)
		c.Memory = 400_000
	}, "v1="+a.url, "v2="+b.url+",against=v1")
	f.targets[0].hold()
	for range 20 {
		f.Submit(requests("GET /a"))
	}
	eventually(t, "v2 has responded", func() bool { return answered(f.targets[1]) == 20 })
	if held := f.memory.responses.Load() + f.memory.waiting.Load(); held < 50_000 || held > 100_000 {
		t.Errorf("%d bytes wait, want up to a quarter of 400,000", held)
	}
	f.targets[0].letGo()
	drain(t, f)
	n := f.compared["v2"].metrics
	memory := n.unpaired[sideIndex(tally.TargetSide)][dropMemory].Get()
	if differ := n.compared[compare.Body].Get(); memory == 0 || differ == 0 || memory+differ != 20 {
		t.Errorf("%d compared, %d without room", differ, memory)
	}
	checkPairs(t, f, "v2", 20)
}

// One draw decides for all that are compared with each other.
func TestSmallerSampleLiesInLarger(t *testing.T) {
	serve := func(c *rawConn) { c.serve(ok) }
	a, b := listen(t, serve), listen(t, serve)
	f := newFanout(t, comparesAll, "v1="+a.url+",sample=50%", "v2="+b.url+",sample=10%,against=v1")
	for range 1000 {
		f.Submit(requests("GET /a"))
	}
	drain(t, f)
	selected := f.targets[1].metrics.selected.Get()
	if selected < 50 || selected > 150 {
		t.Errorf("%d of 1000 selected for v2, want about 100", selected)
	}
	checkPairs(t, f, "v2", selected)
}

// A target may be the reference of several, and be compared itself.
func TestSeveralLinks(t *testing.T) {
	serves := func(body string) string { return listen(t, func(c *rawConn) { c.serve(jsonResponse(body)) }).url }
	f := newFanout(t, comparesAll, "v1="+serves(`{"a":1}`), "v2="+serves(`{"a":2}`)+",against=v1", "v3="+serves(`{"a":2}`)+",against=v2",
		"v4="+serves(`{"a":1}`)+",against=v1,noise=v3", "v5="+serves(`{"a":1}`))
	f.Submit(requests("GET /a", "GET /b"))
	drain(t, f)
	for target, want := range map[string]string{
		"v2": "body=2 (GET /a body: a=1/0/0) (GET /b body: a=1/0/0)",
		"v3": "same=2",
		"v4": "same=2 noise:body=2 (GET /a body: a=0/1/0) (GET /b body: a=0/1/0)",
	} {
		if got := found(t, f, target); got != want {
			t.Errorf("%s: found %s, want %s", target, got, want)
		}
		checkPairs(t, f, target, 2)
	}
	for target, want := range map[string]string{"v1": "give it against=NAME", "v5": "give it against=NAME", "v6": "there is no target"} {
		if _, err := f.Comparison(target); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error is %v, want %q", target, err, want)
		}
	}
}

func TestIgnoredPathIsNotCompared(t *testing.T) {
	a, b := listen(t, func(c *rawConn) { c.serve(ok) }), listen(t, func(c *rawConn) { c.next() })
	f := newFanout(t, func(c *Config) {
		comparesAll(c)
		c.Compare.Ignore = []string{"path:/health"}
	}, "v1="+a.url, "v2="+b.url+",against=v1")
	f.Submit(requests("GET /health/x"))
	drain(t, f)
	if got := found(t, f, "v2"); got != "" {
		t.Error(got)
	}
	checkPairs(t, f, "v2", 0)
}

// A large body is compared by its hash, and not kept.
func TestLargeBodies(t *testing.T) {
	const n = 3 << 20
	body := func(last string, head string) func(c *rawConn) {
		return func(c *rawConn) { c.serve(head + strings.Repeat("b", n-1) + last) }
	}
	length := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", n)
	f := func(name string, v2 func(c *rawConn), want string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			a, b := listen(t, body("x", length)), listen(t, v2)
			f := newFanout(t, func(c *Config) {
				comparesAll(c)
				c.Memory = 4 << 20
			}, "v1="+a.url, "v2="+b.url+",against=v1")
			f.Submit(requests("GET /a"))
			drain(t, f)
			if got := found(t, f, "v2"); got != want {
				t.Errorf("found %s, want %s", got, want)
			}
			checkPairs(t, f, "v2", 1)
		})
	}
	f("alike", body("x", length), "same=1")
	f("another byte", body("y", length), "body=1 (GET /a body=1/0/0)")
	f("in chunks", func(c *rawConn) {
		for c.next() != "" {
			c.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
			for range n / 1024 {
				c.send("400\r\n" + strings.Repeat("b", 1024) + "\r\n")
			}
			c.send("0\r\n\r\n")
		}
	}, "body=1 (GET /a body=1/0/0)")
	f("until the end", func(c *rawConn) {
		c.next()
		c.send("HTTP/1.1 200 OK\r\n\r\n" + strings.Repeat("b", n-1) + "x")
	}, "same=1")
}

func TestFresh(t *testing.T) {
	a, b := listen(t, func(c *rawConn) { c.serve(ok) }), listen(t, func(c *rawConn) { c.serve(jsonResponse("{}")) })
	f := newFanout(t, comparesAll, "v1="+a.url, "v2="+b.url+",against=v1")
	defer drain(t, f)
	pairs := func() int64 {
		s, err := f.Comparison("v2")
		if err != nil {
			t.Fatal(err)
		}
		return s.Whole().Results.Pairs()
	}
	f.targets[0].hold()
	f.Submit(requests("GET /a"))
	if err := f.Fresh("v2"); err != nil {
		t.Fatal(err)
	}
	f.Submit(requests("GET /b", "GET /c"))
	f.targets[0].letGo()
	eventually(t, "what came later is compared", func() bool { return pairs() == 2 })
	if all, err := f.Examples("v2", "", ""); err != nil || len(all) != 2 {
		t.Errorf("%d examples, %v, want 2", len(all), err)
	}
	f.Fresh("v2")
	if all, _ := f.Examples("v2", "", ""); len(all) != 0 || f.memory.examples.Load() != 0 || pairs() != 0 {
		t.Errorf("%d examples and %d pairs afterwards, %d bytes", len(all), pairs(), f.memory.examples.Load())
	}
	if n := f.compared["v2"].metrics.compared[compare.Header].Get(); n != 3 {
		t.Errorf("metrics count %d, want all 3", n)
	}
	for name, want := range map[string]string{"v1": "compared with no other target", "x": "unknown name"} {
		if err := f.Fresh(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error is %v, want %q", name, err, want)
		}
	}
}
