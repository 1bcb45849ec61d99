package fanout

import (
	"strings"
	"testing"
	"time"
)

// A target that closes behind each first response, announced or not, or ignores
// what stood behind it, gets single requests after three such batches, and
// batches again half a minute later.
func TestSinglesAfterCuts(t *testing.T) {
	f := func(what string, play func(c *rawConn), want string) {
		t.Helper()
		rt := listen(t, play)
		fan := newFanout(t, nil, rt.url+",conns=1,batch=2,timeout=200ms")
		tg := fan.targets[0]
		limit := func() string { return sample(t, fan, `mirrorgate_target_batch_limit{target="t1"}`) }
		tg.hold()
		fan.Submit(requests("GET /1", "GET /2", "GET /3", "GET /4", "GET /5", "GET /6"))
		tg.letGo()
		eventually(t, what+": six outcomes", func() bool { return tg.metrics.sent.Get() == 6 })
		if limit() != "1" {
			t.Errorf("%s: the limit is %s after three cut batches", what, limit())
		}
		if single, until := tg.single(); !single || time.Until(until) > time.Duration(singleTime) || time.Until(until) < 0 {
			t.Errorf("%s: single requests: %v, until %v", what, single, until)
		}
		mustReload(t, fan, nil, rt.url+",conns=1,batch=2,timeout=200ms")
		if state := fan.Groups()[0].Targets[0]; limit() != "2" || state.Single || fan.targets[0] != tg {
			t.Errorf("%s: the limit is %s after a reload", what, limit())
		}
		drain(t, fan)
		if got := counts(tg); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s", what, got)
		}
	}
	f("it says that it closes", func(c *rawConn) {
		c.take(1)
		c.send(okClose)
		c.waitEnd()
	}, "selected=6 sent=6 2xx=6")
	f("it closes if something stands behind", func(c *rawConn) {
		for alone := true; alone && c.take(1); {
			alone = c.in.Buffered() == 0
			c.send(ok)
		}
	}, "selected=6 sent=6 2xx=6")
	f("it ignores what stands behind", func(c *rawConn) {
		for c.take(1) {
			c.in.Discard(c.in.Buffered())
			c.send(ok)
		}
	}, "selected=6 sent=6 2xx=6")
}

// Only batches in a row count, and three pauses within an hour are for good.
func TestPipelining(t *testing.T) {
	const second = int64(time.Second)
	var p pipelining
	now := second
	end := func(outcomes string, want int64) {
		t.Helper()
		for i, c := range outcomes {
			got := p.ended(now, c == 'w', map[rune]int{'w': 0, 'c': 1}[c])
			if i < len(outcomes)-1 && got != 0 {
				t.Errorf("%q: single requests after %d", outcomes, i+1)
			}
			if i == len(outcomes)-1 && got != want {
				t.Errorf("%q: single requests for %v, want %v", outcomes, time.Duration(got), time.Duration(want))
			}
		}
	}
	end("ccwccw", 0)
	end("cc", 0)
	p.disconnected()
	end("cc", 0)
	end("c", singleTime)
	end("ccc", 0) // it is single already
	if p.resumes(now + singleTime - 1) {
		t.Error("the pause is over too early")
	}
	if now += singleTime; !p.resumes(now) || p.resumes(now) {
		t.Error("the pause does not end, once")
	}
	end("ccc", singleTime)
	now += singleTime
	p.resumes(now)
	now += singleWindow // the first one is long ago
	end("ccc", singleTime)
	now += singleTime
	p.resumes(now)
	now -= singleWindow / 2
	p.pauses[1] = now
	end("ccc", forever)
	if p.resumes(now + 1000*singleWindow) {
		t.Error("it is not for good")
	}
}
