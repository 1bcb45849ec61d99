package fanout

import (
	"context"
	"sync"
	"sync/atomic"
)

// Fanout sends copies of requests to targets. Make one with New and end it with
// Drain.
type Fanout struct {
	*common
	metrics   *gatewayMetrics
	batches   sync.Pool
	life      lifetime
	comparing *comparing

	plan atomic.Pointer[plan]

	mu       sync.Mutex // of everything below
	config   Config     // what New or Reload was given last
	tunings  tunings
	counted  registry
	rules    *compareRules          // in force; nil: nothing was compared yet
	compared map[string]*comparison // by the name of the target that is compared
	groups   []*group               // as in the plan
	targets  []*target              // as in the plan
	leaving  []*target              // in no plan any more, but with requests
	former   []*plan                // no longer in force; a batch may still go by them
}

// New checks cfg and returns a Fanout that is ready for Submit. Errors name the
// option that is wrong. It connects to nothing before there is a request.
func New(cfg Config) (*Fanout, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	f := &Fanout{
		common:   newCommon(cfg),
		config:   cfg,
		tunings:  newTunings(cfg.Targets),
		counted:  newRegistry(cfg.Metrics),
		compared: map[string]*comparison{},
	}
	f.comparing = newComparing(f.common)
	f.life.begin()
	if cfg.Steer != nil {
		cfg.Steer.Store(SteerAll)
	}
	f.metrics = newGatewayMetrics(f.common)
	f.batches.New = func() any { return &batch{f: f} }
	f.mu.Lock()
	f.replan(cfg)
	f.mu.Unlock()
	f.life.ticking.Go(f.tick)
	return f, nil
}

// lifetime is what ends with the Fanout.
type lifetime struct {
	stopTick chan struct{}
	ticking  sync.WaitGroup
	leaving  sync.WaitGroup  // of targets that are in no plan any more
	hurry    context.Context // done when they have to end
	hurryUp  context.CancelFunc
	draining bool // with Fanout.mu
}

func (l *lifetime) begin() {
	l.stopTick = make(chan struct{})
	l.hurry, l.hurryUp = context.WithCancel(context.Background())
}
