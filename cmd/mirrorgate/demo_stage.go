package main

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/mirrorgate/mirrorgate/bench"
	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/logging"
	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/options"
	"github.com/mirrorgate/mirrorgate/engine"
	"github.com/mirrorgate/mirrorgate/fanout"
)

// demoTarget is a target of the demo and the options it gets.
type demoTarget struct {
	name, group string
	options     string
	mode        bench.SinkMode
	delay       time.Duration
}

// One target gets everything; the other two share half of it, and the last one
// cannot keep up with its share.
var demoTargets = []demoTarget{
	{name: "staging", group: "staging", mode: bench.SinkOK},
	{name: "canary", group: "v2", options: ",group=v2,weight=3,sample=50%", mode: bench.SinkOK},
	{name: "slow", group: "v2", options: ",group=v2,weight=1,sample=50%,conns=1,queue=16",
		mode: bench.SinkDelay, delay: 50 * time.Millisecond},
}

func demoGroups() map[string][]string {
	groups := map[string][]string{}
	for _, t := range demoTargets {
		groups[t.group] = append(groups[t.group], t.name)
	}
	return groups
}

// stage is everything behind HAProxy: the origin, mirrorgate and its targets.
type stage struct {
	origin  *bench.Sink
	sinks   []*bench.Sink // in the order of demoTargets
	set     *metrics.Set
	log     *logging.Log
	gateway *gateway
}

// newStage starts all of it; errors of mirrorgate are logged to w.
func newStage(w io.Writer) (*stage, error) {
	s := &stage{set: metrics.NewSet()}
	s.log = logging.New(w, "error", "text", s.set)
	err := s.open(s.log.Logger())
	if err != nil {
		s.close()
	}
	return s, err
}

func (s *stage) open(log *slog.Logger) (err error) {
	const anyPort = "127.0.0.1:0"
	if s.origin, err = bench.ListenSink(anyPort, bench.SinkOK, 0); err != nil {
		return err
	}
	cfg := fanout.Config{Memory: 64 << 20, Metrics: s.set, Logger: log}
	for i, t := range demoTargets {
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
	s.gateway, err = startGateway(cfg, engine.Config{
		Listen: []string{anyPort}, Reserve: options.OwnDescriptors, Metrics: s.set, Logger: log,
	})
	return err
}

// agent is where HAProxy finds mirrorgate.
func (s *stage) agent() string { return s.gateway.engine.Addrs()[0].String() }

// settle stops mirrorgate, so that no counter moves any more.
func (s *stage) settle() {
	const drain = 10 * time.Second
	ctx, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	s.gateway.stop(ctx, drain/2)
	s.gateway = nil
}

func (s *stage) close() {
	if s.gateway != nil {
		s.settle()
	}
	for _, sink := range append(s.sinks, s.origin) {
		if sink != nil {
			sink.Close()
		}
	}
	s.log.Finish(logWait, func(*slog.Logger) {})
}
