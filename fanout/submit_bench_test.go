package fanout

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mirrorgate/mirrorgate/codec"
)

// browserRequest is a small GET as browsers send it, with 8 header fields.
func browserRequest() codec.Request {
	return request("GET", "/catalogue/items?page=2&sort=price", "",
		"host", "shop.example.com",
		"user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
		"accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
		"accept-language", "en-US,en;q=0.5",
		"accept-encoding", "gzip, deflate, br",
		"referer", "https://shop.example.com/catalogue",
		"cookie", "session=0123456789abcdef; theme=dark",
		"cache-control", "max-age=0",
	)
}

func BenchmarkSerialise(b *testing.B) {
	f := newFanout(b, nil, "http://127.0.0.1:1")
	defer drain(b, f)
	run := func(name string, r codec.Request) {
		b.Run(name, func(b *testing.B) {
			scratch := newBatch(f)
			p := &scratch.prepared
			f.prepare(p, &r)
			b.SetBytes(int64(len(r.Headers.Raw) + len(r.Body)))
			b.ReportAllocs()
			for b.Loop() {
				pl := scratch.serialise(scratch.plan.variants[0].rules, p, 1)
				pl.unref()
				f.payloads.put(pl)
			}
		})
	}
	run("small", browserRequest())
	for _, kB := range []int{64, 128, 256} {
		run(fmt.Sprintf("body-%dkB", kB), request("POST", "/", strings.Repeat("b", kB<<10), "host", "h"))
	}
}

// BenchmarkDropped is a request that finds the queue full.
func BenchmarkDropped(b *testing.B) {
	f := newFanout(b, nil, nobody+",queue=1")
	defer drain(b, f)
	f.targets[0].hold()
	reqs := []codec.Request{browserRequest()}
	f.Submit(reqs)
	b.SetBytes(int64(len(reqs[0].Headers.Raw)))
	b.ReportAllocs()
	for b.Loop() {
		f.Submit(reqs)
	}
	f.targets[0].letGo()
}

// BenchmarkSubmitCold is Submit's own time for 100 requests to each of 20 targets
// that have no connections yet, BenchmarkSubmitWarm to those that have.
func BenchmarkSubmitCold(b *testing.B) {
	specs := twentyTargets(b)
	reqs := hundredRequests()
	for b.Loop() {
		b.StopTimer()
		f := newFanout(b, nil, specs...)
		b.StartTimer()
		f.Submit(reqs)
		b.StopTimer()
		drain(b, f)
		b.StartTimer()
	}
}

func BenchmarkSubmitWarm(b *testing.B) {
	f := newFanout(b, nil, twentyTargets(b)...)
	defer drain(b, f)
	reqs := hundredRequests()
	atRest := func() {
		for _, tg := range f.targets {
			eventually(b, "all responses", func() bool { return tg.length.Load()+tg.inFlight() == 0 })
		}
	}
	f.Submit(reqs)
	atRest()
	for b.Loop() {
		f.Submit(reqs)
		b.StopTimer()
		atRest()
		b.StartTimer()
	}
}

func twentyTargets(b *testing.B) (specs []string) {
	for range 20 {
		specs = append(specs, "http://"+cheapTarget(b, answerHTTP1)+",conns=64")
	}
	return specs
}

func hundredRequests() []codec.Request {
	return slices.Repeat([]codec.Request{browserRequest()}, 100)
}
