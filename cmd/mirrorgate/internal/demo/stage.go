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
)

// target is a target of the demo and the options it gets.
type target struct {
	name, group string
	options     string
	mode        bench.SinkMode
	delay       time.Duration
}

// One target gets everything; the other two share half of it, and the last one
// cannot keep up with its share.
var allTargets = []target{
	{name: "staging", group: "staging", mode: bench.SinkOK},
	{name: "canary", group: "v2", options: ",group=v2,weight=3,sample=50%", mode: bench.SinkOK},
	{name: "slow", group: "v2", options: ",group=v2,weight=1,sample=50%,conns=1,queue=16",
		mode: bench.SinkDelay, delay: 50 * time.Millisecond},
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
	Addr string   // where HAProxy finds it
	Plan []string // what it will do, a line each
	Stop func()   // sends what waits, and ends it; no counter moves afterwards
}

// stage is everything behind HAProxy: the origin, mirrorgate and its targets.
type stage struct {
	origin  *bench.Sink
	sinks   []*bench.Sink // in the order of allTargets
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

func (s *stage) open(log *slog.Logger, start Start) (err error) {
	const anyPort = "127.0.0.1:0"
	if s.origin, err = bench.ListenSink(anyPort, bench.SinkOK, 0); err != nil {
		return err
	}
	cfg := fanout.Config{Memory: 64 << 20, Metrics: s.set, Logger: log}
	for i, t := range allTargets {
		sink, err := bench.ListenSink(anyPort, t.mode, t.delay)
		if err != nil {
			return err
		}
		s.sinks = append(s.sinks, sink)
		text := t.name + "=http://" + sink.Addr() + t.options
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
	for _, sink := range append(s.sinks, s.origin) {
		if sink != nil {
			sink.Close()
		}
	}
	s.log.Finish(time.Second, func(*slog.Logger) {})
}
