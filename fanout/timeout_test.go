package fanout

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// The clock of a response starts at the response before it, and that of a body at
// its status.
func TestTimeLimitOfAResponse(t *testing.T) {
	f := newFanout(t, nil, nobody+",timeout=1s")
	defer drain(t, f)
	const second = int64(time.Second)
	c := &conn{t: f.targets[0]}
	for range 2 {
		p := &payload{buf: make([]byte, 0, 64)}
		p.refs.Store(2)
		c.batch = append(c.batch, entry{payload: p})
	}
	check := func(what string, want int64) {
		t.Helper()
		if got := c.limit(); got != want {
			t.Errorf("%s: the limit is %v, want %v", what, time.Duration(got), time.Duration(want))
		}
	}
	c.begin(3 * second)
	check("when it was written", 4*second)
	var r results
	arrives := func(at int64, bytes string) {
		c.clock = at
		c.parse([]byte(bytes), len(bytes), &r)
	}
	arrives(3500*second/1000, "HTTP/1.1 200 OK\r\n")
	check("when a part of a head arrived", 4*second)
	arrives(5*second, "Content-Length: 0\r\n\r\n")
	check("behind the response before", 6*second)
	arrives(7*second, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
	check("at the status", 8*second)
	arrives(9*second, "body")
	check("in a body", 8*second)
}

// The age of a request that waits is looked at when its turn comes.
func TestMaxAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fan := newFanout(t, nil, nobody+",conns=1,batch=4,max-age=10s")
		tg := fan.targets[0]
		tg.hold()
		fan.Submit(requests("GET /1", "GET /2"))
		time.Sleep(5 * time.Second)
		fan.Submit(requests("GET /3"))
		time.Sleep(5*time.Second + 1)
		tg.dropStale(fan.now())
		if got := counts(tg); got != "selected=3 dropped{stale}=2" || tg.length.Load() != 1 {
			t.Errorf("%s, %d queued", got, tg.length.Load())
		}
		tg.letGo()
		drain(t, fan)
	})
}

// The rate is one of real seconds.
func TestRateOverTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fan := newFanout(t, func(c *Config) { c.Memory = 1 }, nobody+",rate=50/s")
		for range 100 {
			fan.Submit(requests(slices.Repeat([]string{"GET /"}, 10)...))
			time.Sleep(100 * time.Millisecond)
		}
		drain(t, fan)
		if got := counts(fan.targets[0]); got != "selected=1000 dropped{rate}=500 dropped{memory}=500" {
			t.Error(got)
		}
	})
}
