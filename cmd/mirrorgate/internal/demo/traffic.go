package demo

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/valyala/fasthttp"
)

// production is the traffic through HAProxy: pairs of requests, one with and one
// without mirroring, so that both meet the same machine.
type production struct {
	plain, mirrored route
}

// route is one address of HAProxy and what came of the requests to it.
type route struct {
	client   *fasthttp.HostClient
	answered atomic.Int64 // with 200
	failed   atomic.Int64

	mu      sync.Mutex
	latency *hdrhistogram.Histogram // microseconds
}

// clients are as many requests as may be under way at once.
const clients = 64

func (r *route) open(addr string) {
	r.client = &fasthttp.HostClient{Addr: addr, MaxConns: clients, ReadTimeout: 10 * time.Second, MaxIdemponentCallAttempts: 1}
	r.latency = hdrhistogram.New(1, 60_000_000, 3)
}

func newProduction(plain, mirrored string) *production {
	p := new(production)
	p.plain.open(plain)
	p.mirrored.open(mirrored)
	return p
}

// drive sends rate pairs a second until ctx ends, at even distances whatever the
// responses do, and waits for the last one.
func (p *production) drive(ctx context.Context, rate int) {
	numbers := make(chan int, clients)
	var workers sync.WaitGroup
	for range clients {
		workers.Go(func() {
			for n := range numbers {
				p.pair(n)
			}
		})
	}
	start := time.Now()
	for n := 0; ; n++ {
		due := start.Add(time.Duration(n) * time.Second / time.Duration(rate))
		if !sleepUntil(ctx, due) {
			break
		}
		numbers <- n
	}
	close(numbers)
	workers.Wait()
}

func sleepUntil(ctx context.Context, due time.Time) bool {
	if wait := time.Until(due); wait > 0 {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
	return ctx.Err() == nil
}

// pair sends the request of that number both ways, in turns in either order.
func (p *production) pair(n int) {
	first, second := &p.plain, &p.mirrored
	if n%2 == 1 {
		first, second = second, first
	}
	first.send(n)
	second.send(n)
}

var body = make([]byte, 1000)

// send asks for an item, or each fourth time searches or orders.
func (r *route) send(n int) {
	req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(resp)
	path := itemsPath + strconv.Itoa(n/4*2+n%4)
	switch n % 4 {
	case 2:
		path = fmt.Sprintf("/api/search?page=%d", n)
	case 3:
		path = "/api/orders"
		req.Header.SetMethod(fasthttp.MethodPost)
		req.SetBody(body)
	}
	req.SetRequestURI("http://shop.example.com" + path)
	req.Header.Set("Cookie", fmt.Sprintf("session=%d", n%100))
	start := time.Now()
	err := r.client.Do(req, resp)
	took := time.Since(start)
	if err != nil || resp.StatusCode() != fasthttp.StatusOK {
		r.failed.Add(1)
		return
	}
	r.answered.Add(1)
	r.mu.Lock()
	defer r.mu.Unlock()
	_ = r.latency.RecordValue(took.Microseconds()) // beyond a minute it has failed
}
