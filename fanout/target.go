package fanout

import (
	"cmp"
	"context"
	"io"
	"math"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/valyala/fasthttp"
	"golang.org/x/sys/unix"

	"github.com/mirrorgate/mirrorgate/fanout/internal/http1"
	"github.com/mirrorgate/mirrorgate/fanout/internal/wire"
)

// target is where copies go: a bounded queue, the connections that are idle, and
// the workers that bring the two together.
type target struct {
	*common
	slot       int // in the plan
	cfg        TargetConfig
	prefix     []byte       // goes in front of paths, without a slash at its end
	ownHost    []byte       // the line of Host for requests that have none
	newHost    []byte       // the line of Host for all requests; nil: keep theirs
	grpc       *grpcMetrics // nil: it speaks HTTP/1.1 only
	client     *fasthttp.HostClient
	addresses  *addresses
	dialer     net.Dialer
	metrics    *targetMetrics
	differs    *differences
	production *productionMetrics // nil: it is compared with another target instead
	failures   failures
	steering   steering // of the tick alone

	rate   atomic.Pointer[rateLimit] // nil: no limit
	paused atomic.Bool
	room   atomic.Uint64 // bits of the float64 shedding.room

	held       atomic.Int64 // bytes of payload
	length     atomic.Int64 // requests in queue
	batchLimit atomic.Int64 // perConn, or 1 while the target is taken not to pipeline
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
	arrivals    arrivals
	pipelining  pipelining
	http2       multiplexing
	taken       int64 // when a worker took last
	draining    bool
	drainReason dropReason // of what comes while it drains, or is given up
	served      uint64     // requests that workers took
	shedding    shedding
}

func newTarget(shared *common, cfg TargetConfig, metrics *targetMetrics) *target {
	t := &target{common: shared, cfg: cfg, drainReason: dropShutdown, dialLimit: 1, metrics: metrics}
	if cfg.URL.Scheme != schemeUnix { // there it is that of the socket
		t.prefix = []byte(strings.TrimRight(cfg.URL.EscapedPath(), "/"))
	}
	t.ownHost = wire.AppendField(nil, "host", []byte(cmp.Or(cfg.URL.Host, "localhost")))
	switch cfg.Host {
	case HostKeep:
	case HostTarget:
		t.newHost = t.ownHost
	default:
		t.newHost = wire.AppendField(nil, "host", []byte(cfg.Host))
	}
	t.room.Store(math.Float64bits(float64(cfg.Queue)))
	t.http2.spoken = cfg.URL.Scheme == schemeH2C || cfg.HTTP == HTTP2
	t.batchLimit.Store(t.perConn())
	t.aborting, t.abort = context.WithCancel(context.Background())
	t.addresses = newAddresses(shared.options, cfg.address())
	t.client = newClient(t)
	if t.mayMultiplex() {
		t.grpc = newGRPCMetrics(shared.options.Metrics, cfg.Name)
	}
	t.metrics.attach(t)
	t.differs = newDifferences()
	if !cfg.linked() {
		t.production = t.metrics.production
	}
	t.steering = newSteering(t.metrics.selected.Get(), t.metrics.refused())
	first := newWorker(t)
	first.join()
	if cfg.Records() {
		t.running.Go(first.record)
	} else {
		first.start()
	}
	return t
}

// worker is a goroutine that sends the requests of one target.
type worker struct {
	t       *target
	wake    chan struct{} // sent to by whoever took it out of t.sleepers
	awake   bool          // counted in t.awake; with t.mu
	looking bool          // counted in t.looking; with t.mu

	conns    []*conn   // in its hands, and good: not idle since the last response
	resting  []*conn   // likewise, but not to be used for a while
	busy     []*conn   // with the requests of this turn
	pending  []*conn   // with those of earlier turns
	spare    []*conn   // empty: where pending goes next
	opening  []*conn   // likewise, but have yet to be opened
	late     *conn     // what is on it is late, and has yet to be waited for
	excess   []*conn   // gave their place to another one, have to be closed
	evicted  []*socket // given up for their place, have to be closed
	fast     bool      // the target is, in this turn
	probed   bool      // a probe ended in this turn
	gathered bool      // since it read
	buf      []byte    // of this turn: what is written, then what is read
	stale    []entry
	block    []byte // of header fields, scratch
	results  results

	sockets []*socket // scratch of check
	polled  []unix.PollFd
}

func newWorker(t *target) *worker {
	w, ok := t.workers.Get().(*worker)
	if !ok {
		w = &worker{wake: make(chan struct{}, 1)}
	}
	w.t = t
	return w
}

// conn is a connection to a target, with the requests that are on it. It is in
// one pair of hands at a time: in the target's stack of idle ones, a worker's, or
// a goroutine's that waits for a late response. Between exchanges, and while it
// waits, it holds no buffer.
type conn struct {
	t       *target
	stream  io.ReadWriter // the socket, or TLS over it
	socket  *socket
	release func()        // closes it, and gives its place in the pool back
	addr    netip.Addr    // where it goes
	known   *[]netip.Addr // the addresses that addr was looked for in last
	http2   bool          // it is a mux's, and its exchange is not used

	idleSince  int64
	restUntil  int64 // not to be used before; 0: at once
	behindHead bool  // the last response was one to HEAD
	inBody     bool  // in target.bodies, unless it was evicted
	bodyAt     int64 // since when; not changed while it is in target.bodies

	exchange
}

// exchange is one batch of requests on a connection, and what came of the
// responses.
type exchange struct {
	batch    []entry  // in the order in which they are written
	toWrite  [][]byte // what has yet to be written, behind socket.unsent
	written  int      // bytes
	writeErr error
	start    int64 // when the batch was written
	clock    int64 // when something arrived last, at first start
	probe    bool  // finds out whether the target answers again

	response  http1.Reader // to batch[done]
	keeping   keeping      // of it, if it is compared
	done      int          // how many responses are complete
	counted   bool         // the status of the next one arrived
	since     int64        // when what is waited for began: the response at the end of the one before, its body at the status
	bodyBytes int          // of the socket since then
	rest      []byte       // of a head: up to one line that is not complete
	drained   bool         // TLS holds nothing that it read
	readBy    int64        // the read deadline that the socket knows
	closing   bool         // nothing follows on the connection
	proven    bool         // a response came on it, also to an earlier batch
}
