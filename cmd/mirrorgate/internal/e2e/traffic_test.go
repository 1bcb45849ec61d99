package e2e

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/valyala/fasthttp"
)

// crowd is a number of clients of production, each with a connection.
type crowd struct {
	client  *fasthttp.HostClient
	numbers sync.Mutex
	sent    atomic.Int64
	mu      sync.Mutex
	failed  map[string]int // by what came instead of 200
	spoe    map[string]int // by the error that HAProxy's filter saw
	unsure  map[int64]bool // failed, or had such an error
	slowest time.Duration
	latency *hdrhistogram.Histogram // microseconds
}

func newCrowd(addr string) *crowd {
	return &crowd{
		client: &fasthttp.HostClient{Addr: addr, MaxConns: 1000, ReadTimeout: 30 * time.Second, MaxIdemponentCallAttempts: 1},
		failed: map[string]int{}, spoe: map[string]int{}, unsure: map[int64]bool{},
		latency: hdrhistogram.New(1, 60_000_000, 3),
	}
}

// run lets clients send until more, asked for each request, says no; it must not
// wait. Request n is made by build, which may, from a GET of /n.
func (c *crowd) run(clients int, more func(n int64) bool, build func(n int64, req *fasthttp.Request)) {
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			for {
				n, ok := c.number(more)
				if !ok {
					return
				}
				c.send(n, build)
			}
		})
	}
	wg.Wait()
}

// number gives out the numbers of requests one by one, so that none is missing
// when several clients are told to stop.
func (c *crowd) number(more func(n int64) bool) (n int64, ok bool) {
	c.numbers.Lock()
	defer c.numbers.Unlock()
	n = c.sent.Load()
	if ok = more(n); ok {
		c.sent.Add(1)
	}
	return n, ok
}

func (c *crowd) send(n int64, build func(n int64, req *fasthttp.Request)) {
	req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(resp)
	req.SetRequestURI(fmt.Sprintf("http://example.com/%d", n))
	if build != nil {
		build(n, req)
	}
	start := time.Now()
	err := c.client.Do(req, resp)
	took := time.Since(start)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.slowest = max(c.slowest, took)
	_ = c.latency.RecordValue(took.Microseconds()) // beyond a minute it has failed
	if err != nil {
		c.failed[err.Error()]++
		c.unsure[n] = true
	} else if resp.StatusCode() != fasthttp.StatusOK {
		c.failed[fmt.Sprint(resp.StatusCode())]++
	}
	if code := resp.Header.Peek("spoe-error"); len(code) > 0 {
		c.spoe[string(code)]++
		c.unsure[n] = true
	}
}

// upTo is for run: that many requests.
func upTo(total int64) func(int64) bool { return func(n int64) bool { return n < total } }

// unharmed checks that production answered everything and that no request went
// unmirrored.
func (c *crowd) unharmed(t *testing.T) {
	t.Helper()
	if len(c.failed) > 0 || len(c.spoe) > 0 {
		t.Errorf("of %d requests failed %v, with errors of SPOE %v", c.sent.Load(), c.failed, c.spoe)
	}
}

// onceSince checks that of the requests from the given one on, those that HAProxy
// had acknowledged arrived exactly once at the targets, and any other at most once.
func (c *crowd) onceSince(t *testing.T, since int64, targets ...*recorder) {
	t.Helper()
	c.onceOf(t, since, func(int64) bool { return true }, targets...)
}

// onceOf is onceSince for a sample: other requests do not arrive.
func (c *crowd) onceOf(t *testing.T, since int64, sampled func(n int64) bool, targets ...*recorder) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	times := map[string]int{}
	for _, target := range targets {
		for _, r := range target.all() {
			times[r.line]++
		}
	}
	for n := range c.sent.Load() {
		line := fmt.Sprintf("GET /%d HTTP/1.1", n)
		got := times[line]
		if got > 1 || got == 1 && !sampled(n) || got == 0 && sampled(n) && n >= since && !c.unsure[n] {
			t.Errorf("request %d of %d arrived %d times; unsure: %v", n, c.sent.Load(), got, c.unsure[n])
		}
		delete(times, line)
	}
	for line := range times {
		t.Errorf("nobody sent %s", line)
	}
}
