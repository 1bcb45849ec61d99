package demo

import (
	"io"
	"log/slog"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/mirrorgate/mirrorgate/bench"
	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/logging"
	"github.com/mirrorgate/mirrorgate/engine"
	"github.com/mirrorgate/mirrorgate/fanout"
	"github.com/mirrorgate/mirrorgate/fanout/compare/tally"
)

// target is a target of the demo and the options it gets.
type target struct {
	name, group string
	options     string
	open        func() (server, error)
}

// server is an origin or a target.
type server interface {
	Addr() string
	Requests() uint64
	Close()
}

func oldShop() (server, error) { return openShop(false) }

func newShop() (server, error) { return openShop(true) }

func sink(mode bench.SinkMode, delay time.Duration) func() (server, error) {
	return func() (server, error) { return bench.ListenSink(anyPort, mode, delay) }
}

// The names of the targets that are compared.
const (
	oldName    = "v1"
	secondName = "v1b"
	newName    = "v2"
)

// The new version is compared with the old one, of which a second copy tells what is
// noise. The other two share half of the requests, and the last one cannot keep up
// with its share.
var allTargets = []target{
	{oldName, oldName, "", oldShop},
	{secondName, secondName, "", oldShop},
	{newName, newName, ",against=" + oldName + ",noise=" + secondName, newShop},
	{"canary", "others", ",group=others,weight=3,sample=50%", sink(bench.SinkOK, 0)},
	{"slow", "others", ",group=others,weight=1,sample=50%,conns=1,queue=16", sink(bench.SinkDelay, 50*time.Millisecond)},
}

func groups() map[string][]string {
	groups := map[string][]string{}
	for _, t := range allTargets {
		groups[t.group] = append(groups[t.group], t.name)
	}
	return groups
}

// Start starts mirrorgate as the default command does.
type Start func(fanout.Config, engine.Config) (Gateway, error)

// Gateway is a mirrorgate that was started.
type Gateway struct {
	Addr  string   // where HAProxy finds it
	Admin string   // where its page is
	Plan  []string // what it will do, a line each
	// Comparison returns what was counted of a target, also after Stop.
	Comparison func(target string) (*tally.Summary, error)
	Stop       func() // sends what waits, and ends it; no counter moves afterwards
}

// stage is everything behind HAProxy: the origin, mirrorgate and its targets.
type stage struct {
	origin  server
	servers []server // in the order of allTargets
	set     *metrics.Set
	log     *logging.Log
	gateway Gateway
}

// newStage starts all of it; errors of mirrorgate are logged to w.
func newStage(w io.Writer, start Start) (*stage, error) {
	s := &stage{set: metrics.NewSet()}
	s.log = logging.New(w, "error", "text", s.set)
	err := s.open(s.log.Logger(), start)
	if err != nil {
		s.close()
	}
	return s, err
}

const anyPort = "127.0.0.1:0"

func (s *stage) open(log *slog.Logger, start Start) error {
	origin, err := oldShop()
	if err != nil {
		return err
	}
	s.origin = origin
	cfg := fanout.Config{Memory: 64 << 20, Metrics: s.set, Logger: log, Compare: fanout.DefaultCompare()}
	cfg.Compare.Warmup = time.Second
	for i, t := range allTargets {
		server, err := t.open()
		if err != nil {
			return err
		}
		s.servers = append(s.servers, server)
		text := t.name + "=http://" + server.Addr() + t.options
		target, err := fanout.ParseTarget(text, fanout.DefaultTarget(), i+1)
		if err != nil {
			return err
		}
		cfg.Targets = append(cfg.Targets, target)
	}
	s.gateway, err = start(cfg, engine.Config{Listen: []string{anyPort}, Metrics: s.set, Logger: log})
	return err
}

// stop stops mirrorgate, if it runs.
func (s *stage) stop() {
	if s.gateway.Stop != nil {
		s.gateway.Stop()
		s.gateway.Stop = nil
	}
}

func (s *stage) close() {
	s.stop()
	for _, server := range append(s.servers, s.origin) {
		if server != nil {
			server.Close()
		}
	}
	s.log.Finish(time.Second, func(*slog.Logger) {})
}
