package fanout

import (
	"context"
	"math"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/mirrorgate/mirrorgate/fanout/internal/wire"
)

const (
	// patience is how long a queue of a fast target may stand still before one
	// more lane is woken for it.
	patience = int64(2 * time.Millisecond)
	// backlogBatches is how many batches that wait for a fast target bring it one
	// lane more.
	backlogBatches = 8
	// fastInflight is how many requests are in flight to a fast target for each
	// core without a backlog.
	fastInflight = 16
	// idleLane is how long a lane keeps its connection without work.
	idleLane = int64(30 * time.Second)
	// batchPause is how long a target that closes after each first answer gets
	// single requests.
	batchPause = int64(30 * time.Second)
	// cutsToPause is how many batches in a row have to end at their first answer.
	cutsToPause = 3
)

// fastLanes is how many lanes a fast target gets without a backlog: more than
// there are cores would wait for one.
var fastLanes = runtime.GOMAXPROCS(0)

// target is where copies go: a bounded queue and the lanes that empty it.
type target struct {
	f         *Fanout
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
	steering  steering // of the tick alone

	rate   atomic.Pointer[rateLimit] // nil: no limit
	paused atomic.Bool
	room   atomic.Uint64 // bits of the float64 shedding.room

	held       atomic.Int64 // bytes of payload
	length     atomic.Int64 // requests in queue
	inflight   atomic.Int64 // requests that a lane has taken
	batchLimit atomic.Int64 // cfg.Batch, or 1 for a while
	breaker    breaker

	running  sync.WaitGroup // lanes
	aborting context.Context
	abort    context.CancelFunc // closes all connections

	mu       sync.Mutex
	queue    queue
	idle     []*lane // the one that was busy last is at the end
	lanes    int
	waking   int  // lanes that were woken or started and have not taken yet
	lingers  bool // one of them lets requests gather
	pace     pace
	taken    int64 // when a lane took last
	cuts     int   // batches in a row that ended at their first answer
	resumeAt int64 // when batching starts again after a pause
	draining bool
	farewell dropReason // of what comes while it drains, or is given up
	served   uint64     // requests that lanes took
	shedding shedding
}

func newTarget(f *Fanout, cfg TargetConfig) *target {
	t := &target{f: f, cfg: cfg, farewell: dropShutdown}
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
	t.addresses = newAddresses(&f.cfg, cfg.URL.Hostname())
	t.client = newClient(t)
	t.metrics = f.counted.target(cfg.Name, cfg.groupName())
	t.metrics.attach(t)
	t.differs = newDifferences()
	t.steering = newSteering(t.metrics)
	t.room.Store(math.Float64bits(float64(cfg.Queue)))
	return t
}

// push queues entries and rings the lanes once for all of them. The slice stays
// the caller's.
func (t *target) push(entries []entry, now int64) {
	var o outcome
	t.mu.Lock()
	for _, e := range entries {
		if t.draining {
			o.drop(e, t.farewell)
			continue
		}
		if t.queue.n >= t.cfg.Queue {
			if t.cfg.Drop != DropOldest {
				o.drop(e, dropQueueFull)
				continue
			}
			o.drop(t.queue.popFront(), dropQueueFull)
		}
		t.queue.pushBack(e)
	}
	wake := t.ring(now)
	t.mu.Unlock()
	wake.all()
	t.settle(&o)
}

// giveBack puts requests that got no answer at the head of the queue, where
// they came from, to be sent once more.
func (t *target) giveBack(entries []entry) {
	t.mu.Lock()
	for i := len(entries) - 1; i >= 0; i-- {
		e := entries[i]
		e.retried = true
		t.queue.pushFront(e)
	}
	wake := t.ring(t.f.now())
	t.mu.Unlock()
	wake.all()
}

// wakeList is a list of lanes to wake when the lock is no longer held.
type wakeList struct{ first *lane }

func (w *wakeList) add(l *lane) {
	l.next = w.first
	w.first = l
}

func (w wakeList) all() {
	for l := w.first; l != nil; {
		next := l.next // once awake, the lane is in other hands
		l.next = nil
		l.wake <- struct{}{}
		l = next
	}
}

// ring takes as many lanes as the queue wants. t.mu is held.
func (t *target) ring(now int64) (wake wakeList) {
	t.length.Store(int64(t.queue.n))
	for n := t.lanesWanted(now); n > 0; n-- {
		l := t.freeLane()
		if l == nil {
			break
		}
		l.woken = true
		t.waking++
		wake.add(l)
	}
	return wake
}

// freeLane takes the idle lane that was busy last, or makes one. It returns nil
// if there are as many as there may be. t.mu is held.
func (t *target) freeLane() *lane {
	if last := len(t.idle) - 1; last >= 0 {
		l := t.idle[last]
		t.idle[last] = nil
		t.idle = t.idle[:last]
		return l
	}
	if t.lanes >= t.cfg.Conns {
		return nil
	}
	l := newLane(t)
	t.lanes++
	t.running.Go(l.run)
	return l
}

// lanesWanted returns how many more lanes the queue has work for. A slow target
// gets a lane for each request; a fast one as few as can be, for a lane that
// comes back takes all that gathered in the meantime, and cores that run lanes
// are missing for the ACKs.
func (t *target) lanesWanted(now int64) int {
	ready := t.ready(now)
	if ready == 0 {
		return 0
	}
	if !t.pace.fast() {
		return ready - t.waking
	}
	limit := t.reach()
	ahead := ready - t.waking*limit
	working := t.lanes - len(t.idle)
	switch {
	case working == 0 && ahead < limit:
		return 1
	case ahead >= limit:
		return min(ahead/limit, max(fastLanes, fastLanes*fastInflight/limit)+ahead/(limit*backlogBatches)-working)
	case t.waking == 0 && now-t.taken > patience:
		return 1
	}
	return 0
}

// share returns how many requests a lane takes. t.mu is held.
func (t *target) share() int {
	limit := int(t.batchLimit.Load())
	if t.pace.fast() {
		return min(t.queue.n, limit)
	}
	free := 1 + len(t.idle) + t.waking + t.cfg.Conns - t.lanes
	return min((t.queue.n+free-1)/free, limit)
}

// answered follows the target's pace, and its habit of closing. Any answer
// closes the breaker. It came at the time now, first after the batch was sent.
func (t *target) answered(now, first int64, batch int, cut bool) {
	var wake wakeList
	t.mu.Lock()
	t.pace.add(first)
	singles := t.cutShort(now, batch, cut)
	closed := t.breaker.succeed()
	opened := t.breaker.opened
	if closed {
		wake = t.ring(now)
	}
	t.mu.Unlock()
	wake.all()
	if singles {
		t.f.log.Warn("target closes its connections after each answer: sending requests one by one",
			"target", t.cfg.Name, "for", time.Duration(batchPause))
	}
	if closed {
		t.f.log.Info("breaker closed: the target answers again", "target", t.cfg.Name,
			"after", time.Duration(now-opened).Round(time.Millisecond))
	}
}

// cutShort counts the batches that ended at their first answer, and reports
// whether from now on requests go one by one. t.mu is held.
func (t *target) cutShort(now int64, batch int, cut bool) bool {
	if batch == 1 {
		return false
	}
	if !cut {
		t.cuts = 0
		return false
	}
	if t.cuts++; t.cuts < cutsToPause {
		return false
	}
	t.cuts = 0
	t.batchLimit.Store(1)
	t.resumeAt = now + batchPause
	return true
}

// dropStale drops what has waited too long. t.mu is held.
func (t *target) dropStale(now int64, o *outcome) {
	for t.queue.n > 0 && now-t.queue.at(0).at > int64(t.cfg.MaxAge) {
		o.drop(t.queue.popFront(), dropStale)
		t.length.Add(-1)
	}
}

// tick lets lanes go that have been idle for long, wakes one for a queue that
// stands still or for a probe, drops what is stale though no lane comes for it,
// tries batches again, looks up the target's addresses again, and looks how much
// has to be shed.
func (t *target) tick(now int64) {
	var o outcome
	t.mu.Lock()
	t.dropStale(now, &o)
	if t.resumeAt > 0 && now >= t.resumeAt {
		t.resumeAt = 0
		t.batchLimit.Store(int64(t.cfg.Batch))
	}
	t.resolveAgain(now)
	gone := 0
	for gone < len(t.idle) && now-t.idle[gone].idleSince > idleLane {
		gone++
	}
	retired := append([]*lane(nil), t.idle[:gone]...)
	t.idle = append(t.idle[:0], t.idle[gone:]...)
	for _, l := range retired {
		l.retired = true
	}
	if t.cfg.Drop == DropUniform || t.f.cfg.Steer != nil {
		t.shedding.observe(t.served, t.queue.n, &t.cfg)
		t.room.Store(math.Float64bits(t.shedding.room))
	}
	wake := t.ring(now)
	t.mu.Unlock()
	wake.all()
	t.settle(&o)
	for _, l := range retired {
		l.wake <- struct{}{}
	}
}
