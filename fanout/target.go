package fanout

import (
	"context"
	"math"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/mirrorgate/mirrorgate/fanout/internal/wire"
)

// target is where copies go: a bounded queue, the connections that are idle, and
// the workers that bring the two together.
type target struct {
	*common
	slot      int // in the plan
	cfg       TargetConfig
	prefix    []byte // goes in front of paths, without a slash at its end
	ownHost   []byte // the line of Host for requests that have none
	newHost   []byte // the line of Host for all requests; nil: keep theirs
	client    *fasthttp.HostClient
	addresses *addresses
	dialer    net.Dialer
	metrics   *targetMetrics
	differs   *differences
	failures  failures
	steering  steering // of the tick alone

	rate   atomic.Pointer[rateLimit] // nil: no limit
	paused atomic.Bool
	room   atomic.Uint64 // bits of the float64 shedding.room

	held       atomic.Int64 // bytes of payload
	length     atomic.Int64 // requests in queue
	batchLimit atomic.Int64 // cfg.Batch, or 1 while the target is taken not to pipeline
	closeHeads atomic.Bool  // it sends bodies in response to HEAD, see headWithBody
	breaker    breaker

	running  sync.WaitGroup // all goroutines of the target
	aborting context.Context
	abort    context.CancelFunc // closes all connections

	mu          sync.Mutex
	queue       queue
	idle        []*conn // the one that was used last is at the end
	bodies      []*conn // that are in a body nobody keeps, the longest first
	open        int     // connections, those under way too
	dialing     int     // connections under way
	dialLimit   int     // of them: doubles with each that stands
	sleepers    []*worker
	awake       int  // workers that do not sleep
	looking     int  // of them: have yet to look at the queue
	gathering   bool // one of them lets requests gather
	pace        pace
	pipelining  pipelining
	taken       int64 // when a worker took last
	draining    bool
	drainReason dropReason // of what comes while it drains, or is given up
	served      uint64     // requests that workers took
	shedding    shedding
}

func newTarget(shared *common, cfg TargetConfig, metrics *targetMetrics) *target {
	t := &target{common: shared, cfg: cfg, drainReason: dropShutdown, dialLimit: 1, metrics: metrics}
	t.prefix = []byte(strings.TrimRight(cfg.URL.EscapedPath(), "/"))
	t.ownHost = wire.AppendField(nil, "host", []byte(cfg.URL.Host))
	switch cfg.Host {
	case HostKeep:
	case HostTarget:
		t.newHost = t.ownHost
	default:
		t.newHost = wire.AppendField(nil, "host", []byte(cfg.Host))
	}
	t.room.Store(math.Float64bits(float64(cfg.Queue)))
	t.batchLimit.Store(int64(cfg.Batch))
	t.aborting, t.abort = context.WithCancel(context.Background())
	t.addresses = newAddresses(shared.options, cfg.URL.Hostname())
	t.client = newClient(t)
	t.metrics.attach(t)
	t.differs = newDifferences()
	t.steering = newSteering(t.metrics)
	first := newWorker(t)
	first.join()
	t.running.Go(first.run)
	return t
}

// push queues entries, and wakes at most one worker for all of them. The slice
// stays the caller's. It starts no goroutine, touches no payload, and moves no
// more than a block of entries before it lets go of the lock.
func (t *target) push(entries []entry, now int64) {
	var r results
	for len(entries) > 0 {
		n := min(len(entries), blockSize)
		t.pushBlock(entries[:n], now, &r)
		entries = entries[n:]
	}
	t.settle(&r)
}

func (t *target) pushBlock(entries []entry, now int64, r *results) {
	var gone []entry
	var reason dropReason
	t.mu.Lock()
	for _, e := range entries {
		switch {
		case t.draining:
			reason = t.drainReason
			gone = append(gone, e)
			continue
		case t.queue.n >= t.cfg.Queue && t.cfg.Drop != DropOldest:
			reason = dropQueueFull
			gone = append(gone, e)
			continue
		case t.queue.n >= t.cfg.Queue:
			reason = dropQueueFull
			gone = append(gone, t.queue.popFront())
		}
		t.queue.pushBack(e)
	}
	t.length.Store(int64(t.queue.n))
	w := t.wakeSleeper(now)
	t.mu.Unlock()
	w.rouse()
	for i := range gone {
		r.drop(&gone[i], reason)
	}
}

// giveBack puts requests that got no response at the head of the queue, where
// they came from, to be sent once more. It is called by workers alone, which look
// at the queue afterwards.
func (t *target) giveBack(entries []entry) {
	for len(entries) > 0 {
		n := max(0, len(entries)-blockSize)
		t.mu.Lock()
		for i := len(entries) - 1; i >= n; i-- {
			t.queue.pushFront(entries[i])
		}
		t.length.Store(int64(t.queue.n))
		t.mu.Unlock()
		entries = entries[:n]
	}
}

// takeStale moves what has waited too long out of the queue, a block of it at
// the most. t.mu is held.
func (t *target) takeStale(now int64, stale []entry) []entry {
	for t.queue.n > 0 && len(stale) < blockSize && now-t.queue.front().at > int64(t.cfg.MaxAge) {
		stale = append(stale, t.queue.popFront())
	}
	t.length.Store(int64(t.queue.n))
	return stale
}

// dropStale drops what has waited too long though no worker came for it.
func (t *target) dropStale(now int64) {
	var stale []entry
	var r results
	for {
		t.mu.Lock()
		stale = t.takeStale(now, stale[:0])
		t.mu.Unlock()
		for i := range stale {
			r.drop(&stale[i], dropStale)
		}
		t.settle(&r)
		if len(stale) < blockSize {
			return
		}
	}
}

// answered follows the target's pace, and its habits. Any status closes the
// breaker.
func (t *target) answered(r *results) {
	now := t.now()
	t.mu.Lock()
	if r.first > 0 {
		t.pace.add(r.first)
	}
	single := t.pipelining.ended(now, r.whole, r.cut)
	if single > 0 {
		t.batchLimit.Store(1)
	}
	closed := r.first > 0 && t.breaker.succeed()
	opened := t.breaker.opened
	t.mu.Unlock()
	r.first, r.whole, r.cut = 0, false, 0
	if single > 0 {
		t.logSingle(single)
	}
	if closed {
		t.log.Info("breaker closed: the target answers again", "target", t.cfg.Name,
			"after", time.Duration(now-opened).Round(time.Millisecond))
	}
}

// tick closes connections that have been idle for long, wakes a worker for a queue
// that stands still or for a probe, drops what is stale though no worker comes
// for it, pipelines again after a pause, looks up the target's addresses again,
// and looks how much has to be shed.
func (t *target) tick(now int64) {
	t.dropStale(now)
	t.mu.Lock()
	if t.pipelining.resumes(now) {
		t.batchLimit.Store(int64(t.cfg.Batch))
	}
	t.resolveAgain(now)
	old := t.takeIdle(func(c *conn) bool { return now-c.idleSince > idleTime })
	if t.cfg.Drop == DropUniform || t.options.Steer != nil {
		t.shedding.observe(t.served, t.queue.n, &t.cfg)
		t.room.Store(math.Float64bits(t.shedding.room))
	}
	w := t.wakeSleeper(now)
	t.mu.Unlock()
	w.rouse()
	for _, c := range old {
		c.close()
	}
}
