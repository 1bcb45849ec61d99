package verdict

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/mirrorgate/mirrorgate/fanout/compare"
	"github.com/mirrorgate/mirrorgate/fanout/compare/tally"
)

// run is a mirrored run: pairs go in, a verdict comes out.
type run struct {
	t        *testing.T
	tally    *tally.Tally
	rule     Rule
	unpaired []tally.Unpaired
}

func newRun(t *testing.T, noise string) *run {
	return &run{t, tally.New(tally.Options{Target: "v2", Against: "v1", Noise: noise}), Rule{Tolerance: DefaultTolerance}, nil}
}

func diff(fields ...compare.Field) *compare.Diff {
	d := &compare.Diff{Explained: true, Fields: fields}
	if len(fields) > 0 {
		d.Result = fields[0].Layer
	}
	return d
}

var (
	price  = compare.Field{Layer: compare.Body, Path: "price"}
	id     = compare.Field{Layer: compare.Body, Path: "id"}
	gone   = compare.Field{Layer: compare.Header, Path: "etag", Kind: compare.Missing}
	denied = compare.Field{Layer: compare.Status, Path: "200 → 401"}
)

// add counts n pairs or triples of a route.
func (r *run) add(n int, path string, d, noise *compare.Diff) *run {
	response := &compare.Response{Status: 200, Duration: time.Millisecond}
	p := &tally.Pair{Method: []byte("GET"), Target: []byte(path), Reference: response, Response: response, Diff: d, Noise: noise}
	if noise != nil {
		p.Copy = response
	}
	for range n {
		r.tally.Add(p)
	}
	return r
}

func (r *run) judge(silent ...string) *Verdict {
	s := r.tally.Summary()
	s.Seconds, s.Unpaired = 60, r.unpaired
	return Judge(s, r.rule, silent...)
}

// is checks the verdict and what its sentence has.
func (r *run) is(want string, has ...string) {
	r.t.Helper()
	v := r.judge()
	if v.Verdict != want {
		r.t.Errorf("verdict is %s, want %s: %s", v.Verdict, want, v.Sentence)
	}
	for _, part := range has {
		if !strings.Contains(v.Sentence, part) {
			r.t.Errorf("sentence has no %q: %s", part, v.Sentence)
		}
	}
}

func TestJudge(t *testing.T) {
	r := func() *run { return newRun(t, "v1b") }
	same := diff()
	r().is(NotYet, "0 pairs", "more pairs")
	r().add(100, "/", same, same).is(NotYet, "100 pairs of v2 and v1", "more pairs, at this rate")
	r().add(20_000, "/", same, same).is(Alike, "v2 is like v1 within 0.1 %: 20,000 pairs")
	r().add(30, "/a", diff(denied), same).is(Differs, "v2 differs from v1 in 100 % of GET /a (status: 200 → 401), 30 of 30 pairs")
	r().add(9_900, "/a", same, same).add(100, "/a", diff(price), same).add(30_000, "/b", same, same).
		is(Differs, "v2 differs from v1 in 1 % of GET /a (body: price), 100 of 10,000 pairs; everything else alike")
	r().add(9_900, "/a", same, same).add(100, "/a", diff(price), same).add(1_000, "/b", same, same).
		is(Differs, "of other routes it is too early to say")
	r().add(20_000, "/a", diff(id), diff(id)).is(Alike)
	r().add(20_000, "/a", diff(id), diff(id)).add(300, "/a", diff(id, price), diff(id)).is(Differs, "(body: price)")
	r().add(20_000, "/a", diff(gone), same).is(Differs, "header: etag missing")
	r().add(20_000, "/a", same, diff(price)).is(Alike) // the reference's copy alone differs
	r().add(30_000, "/a", same, same).add(100, "/rare", same, same).is(Alike, "too few pairs of one route to say")
	r().add(30_000, "/a", same, same).add(30, "/rare", diff(denied), same).is(Differs, "of GET /rare")
	r().add(30_000, "/a", same, nil).is(NotYet)                                                              // no triple
	r().add(100, "/a", diff(denied, gone, price), same).is(Differs, "(status: 200 → 401), 100 of 100 pairs") // the rest follows
	timeout := compare.Field{Layer: compare.Error, Path: "timeout", Kind: compare.Extra}
	r().add(100, "/a", diff(timeout), same).is(Differs, "(error: timeout), 100 of 100 pairs")
	timeout.Kind = compare.Missing
	r().add(100, "/a", diff(timeout), same).is(Differs, "(error: timeout missing)")
}

func TestJudgeWithoutNoise(t *testing.T) {
	r := func() *run { return newRun(t, "") }
	same := diff()
	r().add(20_000, "/a", same, nil).is(Alike)
	r().add(20_000, "/a", diff(price), nil).is(NotYet, "one value that may mean nothing differs always", "noise= a second copy of v1")
	r().add(20_000, "/a", diff(id), nil).add(300, "/a", diff(id, price), nil).is(Differs, "(body: price), 300 of 20,300 pairs")
	r().add(20_000, "/a", diff(id), nil).add(300, "/a", diff(id, gone), nil).is(Differs, "(header: etag missing)")
	r().add(20_000, "/a", diff(gone), nil).is(Differs)
	r().add(20_000, "/a", diff(denied), nil).is(Differs)
	served := compare.Field{Layer: compare.Header, Path: "x-served-by"}
	whole := compare.Field{Layer: compare.Body}
	v := r().add(100, "/a/42", diff(served, id, whole), nil).judge()
	if got, want := strings.Join(v.Ignore, " "), "header:x-served-by path:/a/ json:id"; got != want {
		t.Errorf("what to ignore is %s, want %s", got, want)
	}
	if _, err := compare.ParseIgnore(v.Ignore); err != nil {
		t.Error(err)
	}
}

func TestDoubts(t *testing.T) {
	alike := func() *run { return newRun(t, "v1b").add(20_000, "/", diff(), diff()) }
	r := alike()
	r.unpaired = []tally.Unpaired{{Side: tally.TargetSide, Reason: "dial", Count: 500}, {Side: tally.NoiseSide, Reason: "stale", Count: 5000}}
	r.is(Alike)
	if v := r.judge("b:12346"); v.Verdict != NotYet || !strings.Contains(v.Sentence, "no response from b:12346") {
		t.Errorf("%s: %s", v.Verdict, v.Sentence)
	}
	r.unpaired = append(r.unpaired, tally.Unpaired{Side: tally.ReferenceSide, Reason: "stale", Count: 600})
	r.is(NotYet, "5.2 % of the pairs are unpaired (1,100) or uncompared (0)")
	alike().add(1_100, "/", &compare.Diff{Result: compare.Uncompared}, diff()).is(NotYet, "uncompared (1,100)")
	r.add(100, "/x", diff(denied), diff()).is(Differs, "unpaired") // what is sure stays so
}

func TestMore(t *testing.T) {
	r := newRun(t, "v1b").add(1000, "/", diff(), diff())
	v := r.judge()
	if v.MorePairs == nil || v.MoreSeconds == nil {
		t.Fatalf("nobody says how many more: %+v", v)
	}
	if want := float64(*v.MorePairs) * 60 / 1000; *v.MoreSeconds != want {
		t.Errorf("%v seconds more, want %v", *v.MoreSeconds, want)
	}
	r.add(int(*v.MorePairs)*9/10, "/", diff(), diff()).is(NotYet)
	r.add(int(*v.MorePairs)/10+1, "/", diff(), diff()).is(Alike)

	v = newRun(t, "v1b").add(999, "/", diff(), diff()).add(1, "/", diff(price), diff()).judge()
	if v.MorePairs != nil {
		t.Errorf("at the tolerance itself nobody can say how many more, not %d", *v.MorePairs)
	}
}

func TestLatency(t *testing.T) {
	f := func(n int, slower float64, want, has string) {
		t.Helper()
		rng := rand.New(rand.NewPCG(1, 1))
		r := newRun(t, "v1b")
		var err error
		if r.rule.Latency, err = ParseLatency("p99+10%"); err != nil {
			t.Fatal(err)
		}
		for range n {
			took := func(factor float64) *compare.Response {
				return &compare.Response{Status: 200, Duration: time.Duration((1 + rng.ExpFloat64()) * factor * 1e6)}
			}
			r.tally.Add(&tally.Pair{Method: []byte("GET"), Target: []byte("/"), Reference: took(1), Response: took(slower), Copy: took(1), Diff: diff(), Noise: diff()})
		}
		r.is(want, has)
	}
	f(300, 1, NotYet, "p99 not known yet")
	f(200_000, 1, Alike, "p99 ")
	f(100_000, 1.5, Differs, "v2 differs from v1 in its latency")
	f(100_000, .5, Alike, "p99 −")
	f(100_000, 1.1, NotYet, "")
}

func TestQuantileBounds(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var h tally.Histogram
	wrong := 0
	for i := range 20_000 {
		h.Add(time.Duration(rng.Float64() * 1e9))
		if i%100 != 99 {
			continue
		}
		if low, high := quantileBounds(&h, .9, 4.6); low > .9 || high < .9 {
			wrong++
		}
	}
	low, high := quantileBounds(&h, .9, 4.6)
	if wrong > 0 || low < .87 || high > .93 {
		t.Errorf("p90 is between %v and %v; %d looks excluded the truth", low, high, wrong)
	}
}

func TestRules(t *testing.T) {
	tolerance := func(s string, want float64) {
		t.Helper()
		if got, err := ParseTolerance(s); got != want || (err != nil) != (want == 0) {
			t.Errorf("tolerance %q is %v, %v", s, got, err)
		}
	}
	tolerance("", .001)
	tolerance("0.1%", .001)
	tolerance("0.02", .02)
	for _, bad := range []string{"0", "100%", "-1%", "x", "%", "nan", "NaN%"} {
		tolerance(bad, 0)
	}
	latency := func(s, want string) {
		t.Helper()
		got, err := ParseLatency(s)
		if s := fmt.Sprint(got); err != nil && want != "error" || err == nil && s != want {
			t.Errorf("latency %q is %v, %v, want %s", s, got, err, want)
		}
	}
	latency("", "<nil>")
	latency("p99+10%", "p99+10%")
	latency("p99.9+0.5", "p99.9+50%")
	latency("p50+0%", "p50+0%")
	for _, bad := range []string{"p99", "99+10%", "p100+1%", "p0+1%", "p99-1%", "pNaN+1%", "p99+NaN", "p99+-1%"} {
		latency(bad, "error")
	}
}

// TestForm checks the names that others read.
func TestForm(t *testing.T) {
	r := newRun(t, "v1b").add(9_900, "/a", diff(), diff()).add(100, "/a", diff(price), diff())
	b, err := json.Marshal(r.judge())
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		`"target":"v2","against":"v1","noise":"v1b","verdict":"differs","sentence":"v2 differs`, `"pairs":10000`, `"unpaired":0`, `"uncompared":0`,
		`"hosts":1`, `"routes":[{"route":"GET /a"`, `"differs":100,"noise":0`, `"fields":[{"field":"body: price","kind":"value"`,
		`"latency":null`, `"more_pairs":null`, `"more_seconds":null`,
	} {
		if !strings.Contains(string(b), part) {
			t.Errorf("no %s in %s", part, b)
		}
	}
}

// TestHostsAreOne judges the sum of two hosts as one host with all pairs.
func TestHostsAreOne(t *testing.T) {
	a, b, one := newRun(t, "v1b"), newRun(t, "v1b"), newRun(t, "v1b")
	for _, r := range []*run{a, one} {
		r.add(6, "/rare", diff(), diff()).add(5_000, "/a", diff(id), diff(id))
	}
	for _, r := range []*run{b, one} {
		r.add(6, "/rare", diff(), diff()).add(60, "/a", diff(price), diff()).add(9_000, "/a", diff(), diff())
	}
	sum := a.tally.Summary()
	if err := sum.Merge(b.tally.Summary()); err != nil {
		t.Fatal(err)
	}
	sum.Hosts = 1
	got, _ := json.Marshal(Judge(sum, one.rule))
	s := one.tally.Summary()
	want, _ := json.Marshal(Judge(s, one.rule))
	if string(got) != string(want) {
		t.Errorf("two hosts are judged\n%s\nand one\n%s", got, want)
	}
}

func BenchmarkJudge(b *testing.B) {
	r := tally.New(tally.Options{Target: "v2", Against: "v1", Noise: "v1b"})
	response := &compare.Response{Status: 200, Duration: time.Millisecond}
	for i := range 200 * 20 {
		r.Add(&tally.Pair{Method: []byte("GET"), Target: fmt.Appendf(nil, "/%c%c", 'a'+i%200/20, 'a'+i%20), Reference: response, Response: response, Copy: response,
			Diff: diff(id, price), Noise: diff(id)})
	}
	s := r.Summary()
	b.ReportAllocs()
	for b.Loop() {
		Judge(s, Rule{Tolerance: DefaultTolerance})
	}
}
