package tally

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/mirrorgate/mirrorgate/fanout/compare"
)

var ok, notFoundResponse = &compare.Response{Status: 200, Duration: time.Millisecond}, &compare.Response{Status: 404}

func field(path string) compare.Field { return compare.Field{Layer: compare.Body, Path: path} }

// diff is an explained one of the fields of these paths.
func diff(paths ...string) *compare.Diff {
	d := &compare.Diff{Explained: true}
	for _, p := range paths {
		d.Result = compare.Body
		d.Fields = append(d.Fields, field(p))
	}
	return d
}

func pair(path string, d, noise *compare.Diff) *Pair {
	return &Pair{Method: []byte("GET"), Target: []byte(path), Reference: ok, Response: ok, Copy: ok, Diff: d, Noise: noise}
}

func TestRoutesGetTheirSlot(t *testing.T) {
	tally := New(Options{})
	add := func(path string, n int) {
		for range n {
			tally.Add(pair(path, diff(), nil))
		}
	}
	f := func(want map[string]int64) {
		t.Helper()
		s := tally.Summary()
		s.Settle()
		got := map[string]int64{}
		for _, r := range s.Routes {
			got[r.Name] = r.Results.Pairs()
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("pairs by route are %v, want %v", got, want)
		}
	}
	add("/a", 9)
	f(map[string]int64{"other": 9})
	add("/a", 1)
	f(map[string]int64{"GET /a": 10})
	for range 20 {
		p := pair("/wp-login.php", diff(), nil)
		p.Reference, p.Response, p.Copy = notFoundResponse, notFoundResponse, notFoundResponse
		tally.Add(p)
	}
	f(map[string]int64{"GET /a": 10, "other": 20})
	for i := range maxCandidates + 1 { // the candidates make room
		add(fmt.Sprintf("/%c%c%c", 'a'+i/400, 'a'+i/20%20, 'a'+i%20), 1)
	}
	f(map[string]int64{"GET /a": 10, "other": 20 + maxCandidates + 1})
	for i := range MaxRoutes {
		add(fmt.Sprintf("/x%c%c", 'a'+i/20, 'a'+i%20), minPairs)
	}
	s := tally.Summary()
	s.Settle()
	if len(s.Routes) != MaxRoutes+1 {
		t.Errorf("there are %d routes, want %d and other", len(s.Routes), MaxRoutes)
	}
	tally.Reset()
	f(map[string]int64{})
}

func TestNoise(t *testing.T) {
	tally := New(Options{Noise: "v1b"})
	tally.Add(pair("/", diff("id", "price"), diff("id")))
	tally.Add(pair("/", diff("id"), diff("id", "flag")))
	tally.Add(pair("/", diff("a"), diff("b")))
	tally.Add(pair("/", diff("price"), nil)) // no triple
	unexplained := diff("id")
	unexplained.Explained = false
	tally.Add(pair("/", diff("id"), unexplained))
	hard := diff("gone")
	hard.Fields[0].Kind = compare.Missing
	tally.Add(pair("/", hard, diff()))
	r := tally.Summary().Routes[0]
	if r.Explained != 4 || r.Results.Pairs() != 6 || r.Noise.Pairs() != 5 || r.Hard != 1 {
		t.Errorf("%d explained of %d pairs and %d triples, %d hard", r.Explained, r.Results.Pairs(), r.Noise.Pairs(), r.Hard)
	}
	if want := (Counts{Differs: 3, Noise: 2, Both: 1}); r.Excess != want {
		t.Errorf("excess is %+v, want %+v", r.Excess, want)
	}
	got := map[string]Counts{}
	for _, f := range r.Fields {
		got[f.Path] = f.Counts
	}
	want := map[string]Counts{"id": {2, 2, 2}, "price": {1, 0, 0}, "flag": {0, 1, 0}, "a": {1, 0, 0}, "b": {0, 1, 0}, "gone": {1, 0, 0}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("fields are %v, want %v", got, want)
	}
}

func TestFieldsAreBounded(t *testing.T) {
	tally := New(Options{})
	for i := range maxFields + 50 {
		tally.Add(pair("/", diff(fmt.Sprint(i), fmt.Sprint(i+1000)), nil))
	}
	r := tally.Summary().Routes[0]
	if n := len(r.Fields); n != maxFields+1 {
		t.Fatalf("%d fields, want %d and other", n, maxFields)
	}
	for _, f := range r.Fields {
		if f.Field == compare.OtherField && f.Differs != 100 {
			t.Errorf("other fields differ in %d pairs, want 100", f.Differs)
		}
	}
}

func TestHistogram(t *testing.T) {
	var h Histogram
	if q := h.Quantile(0.5); q != 0 {
		t.Errorf("median of nothing is %v", q)
	}
	for i := range 1000 {
		h.Add(time.Duration(i+1) * time.Millisecond)
	}
	f := func(q float64, want time.Duration) {
		t.Helper()
		if got := h.Quantile(q); got < want || float64(got) > 1.021*float64(want) {
			t.Errorf("quantile %v is %v, want %v or at most 2 %% more", q, got, want)
		}
	}
	f(0, time.Millisecond)
	f(0.5, 500*time.Millisecond)
	f(0.99, 990*time.Millisecond)
	f(1, time.Second)
	h.Add(-1)
	h.Add(1 << 62)
	if h.Count() != 1002 {
		t.Errorf("count is %d", h.Count())
	}
}

// TestHostsAddUp splits pairs among three tallies, whose sum, by way of JSON, must
// be what one has counted.
func TestHostsAddUp(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	o := Options{Target: "v2", Against: "v1", Noise: "v1b"}
	one := New(o)
	hosts := []*Tally{New(o), New(o), New(o)}
	fields := []string{"id", "price", "time"}
	unpaired := make([]int64, len(hosts))
	stale := func(n int64) []Unpaired { return []Unpaired{{TargetSide, "stale", n}} }
	for range 3000 {
		var d, noise []string
		for _, f := range fields {
			if rng.IntN(3) == 0 {
				d = append(d, f)
			}
			if rng.IntN(3) == 0 {
				noise = append(noise, f)
			}
		}
		p := pair(fmt.Sprintf("/%c", 'a'+rng.IntN(26)*rng.IntN(26)%60), diff(d...), diff(noise...))
		p.Response = &compare.Response{Status: 200, Duration: time.Duration(rng.IntN(1e9))}
		at := rng.IntN(len(hosts))
		host := hosts[at]
		one.Add(p)
		host.Add(p)
		if rng.IntN(10) == 0 {
			unpaired[at]++
		}
	}
	sum := &Summary{Target: "v2", Against: "v1", Noise: "v1b"}
	for i, h := range hosts {
		counted := h.Summary()
		counted.Unpaired = stale(unpaired[i])
		b, err := json.Marshal(counted)
		if err != nil {
			t.Fatal(err)
		}
		var s Summary
		if err := json.Unmarshal(b, &s); err != nil {
			t.Fatal(err)
		}
		if err := sum.Merge(&s); err != nil {
			t.Fatal(err)
		}
	}
	want := one.Summary()
	want.Unpaired = stale(unpaired[0] + unpaired[1] + unpaired[2])
	sum.Settle()
	want.Settle()
	sum.Hosts = 1
	if !reflect.DeepEqual(sum, want) {
		a, _ := json.Marshal(sum)
		b, _ := json.Marshal(want)
		t.Errorf("three hosts counted\n%s\nand one\n%s", a, b)
	}
	if got := one.Totals(); got.Explained != 3000 || got.Excess != want.Whole().Excess {
		t.Errorf("the totals are %+v, want %+v", got, want.Whole().Excess)
	}
	if w := want.Whole(); w.Results.Pairs() != 3000 || w.Target.Count() != 3000 || w.Fields != nil {
		t.Errorf("the whole is %+v", w)
	}
	if err := sum.Merge(&Summary{Target: "v3", Against: "v1", Noise: "v1b"}); err == nil {
		t.Error("summaries of two targets were added up")
	}
}

func TestAddAllocatesNothing(t *testing.T) {
	tally := New(Options{Noise: "v1b"})
	p := pair("/api/users/42?x=1", diff("id", "price"), diff("id"))
	tally.Add(p)
	if n := testing.AllocsPerRun(1000, func() { tally.Add(p) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzSummary(f *testing.F) {
	tally := New(Options{Target: "v2"})
	tally.Add(pair("/", diff("id"), nil))
	b, err := json.Marshal(tally.Summary())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"routes":[{"route":"a","results":{"same":1},"target_latency":[[1,2]]}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var s Summary
		if s.UnmarshalJSON(b) != nil {
			return
		}
		s.Settle()
		s.Whole()
	})
}

func BenchmarkAdd(b *testing.B) {
	tally := New(Options{Noise: "v1b"})
	p := pair("/api/users/42?x=1", diff("id"), diff("id"))
	b.SetBytes(1) // pairs
	b.ReportAllocs()
	for b.Loop() {
		tally.Add(p)
	}
}
