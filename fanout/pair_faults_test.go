package fanout

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/mirrorgate/mirrorgate/codec"
	"github.com/mirrorgate/mirrorgate/fanout/compare/tally"
)

// TestPairsOutliveTargets kills, and brings back, one of three targets in the middle
// of traffic: whatever that is, each request is compared or has a reason why not,
// and all memory comes back.
func TestPairsOutliveTargets(t *testing.T) {
	for i, name := range []string{"v1", "v1b", "v2"} {
		t.Run(name, func(t *testing.T) {
			targets := []*reborn{newReborn(t), newReborn(t), newReborn(t)}
			for _, r := range targets {
				r.live()
			}
			const options = ",timeout=2s,conns=8"
			f := newFanout(t, comparesAll, "v1=http://"+targets[0].addr+options, "v1b=http://"+targets[1].addr+options,
				"v2=http://"+targets[2].addr+options+",against=v1,noise=v1b")
			submitted := uint64(0)
			submit := func() {
				for range 20 {
					reqs := requests("GET /a", "POST /b 1", "GET /c", "PUT /d 22")
					f.Submit(reqs)
					submitted += uint64(len(reqs))
					time.Sleep(time.Millisecond)
				}
			}
			submit()
			targets[i].die()
			submit()
			targets[i].live()
			submit()
			eventually(t, "it is sent requests again", func() bool {
				submit()
				return !f.targets[i].breaker.open()
			})
			targets[i].die()
			submit()
			drain(t, f)
			checkPairs(t, f, "v2", submitted)
		})
	}
}

// A target that hangs leaves the other one's responses waiting, whose memory is
// bounded, and then differs.
func TestPairsOfTargetThatHangs(t *testing.T) {
	for _, hanging := range []string{"v1", "v2"} {
		t.Run(hanging, func(t *testing.T) {
			large := "HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n" + strings.Repeat("b", 1<<20)
			urls := map[string]string{
				"v1": listen(t, func(c *rawConn) { c.serve(large) }).url,
				"v2": listen(t, func(c *rawConn) { c.serve(large) }).url,
			}
			urls[hanging] = listen(t, func(c *rawConn) { c.next(); c.waitEnd() }).url
			options := map[string]string{"v1": ",timeout=1m", "v2": ",timeout=1m"}
			options[hanging] = ",timeout=500ms"
			f := newFanout(t, comparesAll, "v1="+urls["v1"]+options["v1"], "v2="+urls["v2"]+options["v2"]+",against=v1")
			for range 20 {
				f.Submit(requests("POST /a 1"))
			}
			drain(t, f)
			// On a busy machine some may be sent too far apart.
			if got := found(t, f, "v2"); !strings.HasPrefix(got, "error=") || strings.Contains(got, "uncompared") || !strings.Contains(got, "error: timeout") {
				t.Errorf("found %s, want errors alone", got)
			}
			checkPairs(t, f, "v2", 20)
		})
	}
}

// What has not come to its end when mirrorgate stops, or a target leaves, has no pair.
func TestPairsEndWithTargets(t *testing.T) {
	f := func(name string, end func(f *Fanout), want string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			a := listen(t, func(c *rawConn) { c.serve(ok) })
			b := listen(t, func(c *rawConn) { c.next(); c.waitEnd() })
			f := newFanout(t, comparesAll, "v1="+a.url, "v2="+b.url+",conns=1,against=v1")
			f.Submit(requests("GET /a", "GET /b")) // one is sent, the other waits
			eventually(t, "v1 has responded", func() bool { return answered(f.targets[0]) == 2 })
			eventually(t, "v2 has the request", func() bool { return len(b.requests()) == 1 })
			n := f.compared["v2"]
			end(f)
			unpaired := ""
			for reason := unpairedReason(1); reason < unpairedReasons; reason++ {
				if count := n.metrics.unpaired[sideIndex(tally.TargetSide)][reason].Get(); count == 2 {
					unpaired += reason.String()
				}
			}
			if unpaired != want {
				t.Errorf("unpaired for %q, want %q", unpaired, want)
			}
			if m := &f.memory; m.responses.Load() != 0 || m.waiting.Load() != 0 || m.payloads.Load() != 0 {
				t.Errorf("held: %d, %d, %d bytes", m.responses.Load(), m.waiting.Load(), m.payloads.Load())
			}
		})
	}
	ended := func() context.Context {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		return ctx
	}()
	f("shutdown", func(f *Fanout) { f.Drain(ended) }, "shutdown")
	f("reload", func(f *Fanout) {
		cfg := f.config
		cfg.Targets = cfg.Targets[:1]
		if err := f.Reload(cfg); err != nil {
			t.Fatal(err)
		}
		f.life.hurryUp()
		f.life.leaving.Wait()
		f.Drain(context.Background())
	}, "removed")
	f("later", func(f *Fanout) {
		f.Drain(ended)
		before := f.compared["v2"].metrics.unpaired[sideIndex(tally.ReferenceSide)][dropShutdown].Get()
		f.Submit(requests("GET /a"))
		if after := f.compared["v2"].metrics.unpaired[sideIndex(tally.ReferenceSide)][dropShutdown].Get(); after != before+1 {
			t.Errorf("%d requests after the end are unpaired, want 1", after-before)
		}
	}, "shutdown")
}

// Requests that the sides were sent more than a second apart are not compared; a
// second copy that was is left out.
func TestSkew(t *testing.T) {
	f := func(late int, want string) {
		t.Helper()
		k := link{against: 0, noise: 1, target: 2}
		sides := []side{{fate: responded}, {fate: responded}, {fate: responded}}
		sides[late].sent = maxSkew + 1
		whose, reason := k.missing(sides)
		if got := string(whose) + " " + reason.String() + ", noise " + k.noNoise(sides).String(); got != want {
			t.Errorf("side %d late: %s, want %s", late, got, want)
		}
		sides[late].sent = maxSkew
		if _, reason := k.missing(sides); reason != 0 || k.noNoise(sides) != 0 {
			t.Errorf("side %d on the border: %s", late, reason)
		}
	}
	f(0, "against skew, noise skew")
	f(1, " , noise skew")
	f(2, "target skew, noise ")
}

// A request that waited in one target's queue for longer is skewed.
func TestQueuedForLong(t *testing.T) {
	a, b := listen(t, func(c *rawConn) { c.serve(ok) }), listen(t, func(c *rawConn) { c.serve(ok) })
	clock := new(leapingClock)
	f := newFanout(t, func(c *Config) {
		comparesAll(c)
		c.clock = clock.now
	}, "v1="+a.url, "v2="+b.url+",against=v1")
	f.targets[1].hold()
	f.Submit(requests("GET /a"))
	eventually(t, "v1 has responded", func() bool { return answered(f.targets[0]) == 1 })
	clock.leap(1100 * time.Millisecond)
	f.targets[1].letGo()
	drain(t, f)
	if got := found(t, f, "v2"); got != "target:skew=1" {
		t.Errorf("found %s", got)
	}
	checkPairs(t, f, "v2", 1)
}

// Reload goes on counting what did not change, and begins anew what did: other
// URLs, another reference, other rules. Latencies do not count at first.
func TestReloadOfComparison(t *testing.T) {
	urls := map[string]string{}
	for _, name := range []string{"v1", "v1b", "v2", "v3"} {
		urls[name] = listen(t, func(c *rawConn) { c.serve(ok) }).url
	}
	f := func(name string, edit func(*Config), want int64) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			f := newFanout(t, comparesAll, "v1="+urls["v1"], "v1b="+urls["v1b"], "v2="+urls["v2"]+",against=v1")
			f.Submit([]codec.Request{request("GET", "/a", "", "host", "h")})
			pairs := func() int64 {
				s, err := f.Comparison("v2")
				if err != nil {
					t.Fatal(err)
				}
				return s.Whole().Results.Pairs()
			}
			eventually(t, "the first pair is compared", func() bool { return pairs() == 1 })
			cfg := f.config
			cfg.Targets = append([]TargetConfig(nil), cfg.Targets...)
			edit(&cfg)
			if err := f.Reload(cfg); err != nil {
				t.Fatal(err)
			}
			if got := pairs(); got != want {
				t.Errorf("%d pairs after the reload, want %d", got, want)
			}
			f.Submit([]codec.Request{request("GET", "/a", "", "host", "h")})
			drain(t, f)
			if got := pairs(); got != want+1 {
				t.Errorf("%d pairs at the end, want %d", got, want+1)
			}
		})
	}
	url := func(name string) *TargetConfig { return &parseTargets(t, []string{urls[name]})[0] }
	f("nothing", func(c *Config) {}, 1)
	f("conns", func(c *Config) { c.Targets[2].Conns = 7 }, 1)
	f("v2's URL", func(c *Config) { c.Targets[2].URL = url("v3").URL }, 0)
	f("v1's URL", func(c *Config) { c.Targets[0].URL = url("v3").URL }, 0)
	f("v1b's URL", func(c *Config) { c.Targets[1].URL = url("v3").URL }, 1)
	f("the reference", func(c *Config) { c.Targets[2].Against = "v1b" }, 0)
	f("noise", func(c *Config) { c.Targets[2].Noise = "v1b" }, 0)
	f("rules", func(c *Config) { c.Compare.Ignore = []string{"header:x"} }, 0)
}

// Latencies of requests that came before the end of the warm-up do not count:
// it begins with the start, each tuning and each reload.
func TestWarmup(t *testing.T) {
	a, b := listen(t, func(c *rawConn) { c.serve(ok) }), listen(t, func(c *rawConn) { c.serve(ok) })
	clock := new(leapingClock)
	f := newFanout(t, func(c *Config) {
		comparesAll(c)
		c.Compare.Warmup, c.clock = 30*time.Second, clock.now
	}, "v1="+a.url, "v2="+b.url+",against=v1")
	counts := func() (pairs, latencies int64) {
		s, err := f.Comparison("v2")
		if err != nil {
			t.Fatal(err)
		}
		whole := s.Whole()
		return whole.Results.Pairs(), whole.Target.Count()
	}
	total := int64(0)
	submit := func(when string, counted int64) {
		t.Helper()
		_, before := counts()
		f.Submit(requests("GET /a"))
		total++
		eventually(t, "the pair is compared", func() bool { pairs, _ := counts(); return pairs == total })
		if _, after := counts(); after-before != counted {
			t.Errorf("%s: %d latencies counted, want %d", when, after-before, counted)
		}
	}
	submit("at first", 0)
	clock.leap(31 * time.Second)
	submit("later", 1)
	rate := 1000.
	if err := f.TuneTarget("v2", TargetTuning{Rate: &rate}, 0); err != nil {
		t.Fatal(err)
	}
	submit("after a tuning", 0)
	clock.leap(31 * time.Second)
	submit("later", 1)
	if err := f.Reload(f.config); err != nil {
		t.Fatal(err)
	}
	submit("after a reload", 0)
	drain(t, f)
}
