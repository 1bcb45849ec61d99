package engine

import (
	"hash/maphash"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/panjf2000/gnet/v2"
)

// Config says where and how to serve SPOP. Listen, Mirror, Metrics and Logger
// are needed; everything else has a default.
type Config struct {
	Listen []string // "host:port", or "unix:/path", with ",mode=660" and ",group=haproxy" for who may connect
	Loops  int      // event loops; 0: GOMAXPROCS

	Allow    []netip.Prefix // peers that may connect over TCP; empty: all
	MaxConns int            // connections at most; 0: what the limit of open files allows, less Reserve, up to FitConns
	FitConns int            // connections that there is memory for; 0: any number
	Reserve  int            // descriptors kept for others: targets, admin, files

	MaxFrameSize     uint64        // bytes, the most that is negotiated; a longer frame is only acknowledged; 0: 1 MiB
	Memory           int64         // bytes that unfinished frames and unread ACKs may take, half of them from one address; 0: 128 MiB
	HandshakeTimeout time.Duration // from accept to HELLO; 0: 5s
	FrameTimeout     time.Duration // from the first to the last byte of a NOTIFY, and for ACKs to be read; 0: 5s

	// Steer is what each ACK tells HAProxy in the variable proc.PREFIX.rate: how
	// many of 10,000 requests to send, at least 1; nil: nothing.
	Steer *atomic.Uint32

	Mirror  Mirror
	Metrics *metrics.Set
	Logger  *slog.Logger // must not wait for whoever reads the log, for event loops use it, and has to bear lines that repeat
}

const (
	defaultMaxFrameSize = 1 << 20
	defaultMemory       = 128 << 20
	defaultTimeout      = 5 * time.Second
)

func (cfg *Config) setDefaults() {
	if cfg.Loops == 0 {
		cfg.Loops = runtime.GOMAXPROCS(0)
	}
	if cfg.MaxFrameSize == 0 {
		cfg.MaxFrameSize = defaultMaxFrameSize
	}
	if cfg.Memory == 0 {
		cfg.Memory = defaultMemory
	}
	if cfg.HandshakeTimeout == 0 {
		cfg.HandshakeTimeout = defaultTimeout
	}
	if cfg.FrameTimeout == 0 {
		cfg.FrameTimeout = defaultTimeout
	}
}

// Server serves SPOP. All its methods may be called by any goroutine.
type Server struct {
	cfg       Config
	policy    policy
	counters  *counters
	ignored   ignoredMessages
	registry  registry
	ticks     ticks
	slots     chan struct{} // one for each connection there may be
	listeners []listener
	client    *gnet.Client

	started    time.Time
	stop       chan struct{}
	background sync.WaitGroup // acceptors and sweeper
}

// Listen binds all addresses and serves them until Close. The error is one line
// that names the address, or the limit, that is in the way.
func Listen(cfg Config) (*Server, error) {
	cfg.setDefaults()
	maxConns, err := connLimit(cfg)
	if err != nil {
		return nil, err
	}
	listeners, err := listenAll(cfg.Listen)
	if err != nil {
		return nil, err
	}
	s := &Server{
		cfg:       cfg,
		ignored:   ignoredMessages{seed: maphash.MakeSeed()},
		ticks:     ticks{start: make(chan struct{}, 1)},
		slots:     make(chan struct{}, maxConns),
		listeners: listeners,
		started:   time.Now(),
		stop:      make(chan struct{}),
	}
	s.policy.maxFrameSize = cfg.MaxFrameSize
	s.policy.memory.limit = cfg.Memory
	s.registry.init(&s.policy.memory)
	if err := s.startLoops(); err != nil {
		for _, ln := range listeners {
			_ = ln.Close()
		}
		return nil, err
	}
	s.counters = newCounters(cfg.Metrics, func() float64 { return float64(s.registry.len()) })
	s.background.Add(1 + len(listeners))
	go s.sweep()
	for _, ln := range listeners {
		go s.accept(ln)
	}
	return s, nil
}

// Addrs returns the addresses that are bound, in the order of Config.Listen.
func (s *Server) Addrs() []net.Addr {
	addrs := make([]net.Addr, len(s.listeners))
	for i, ln := range s.listeners {
		addrs[i] = ln.Addr()
	}
	return addrs
}
