package fanout

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Fanout sends copies of requests to targets. Make one with New and end it with
// Drain.
type Fanout struct {
	*common
	metrics *gatewayMetrics
	batches sync.Pool
	life    lifetime

	plan atomic.Pointer[plan]

	mu      sync.Mutex // of everything below
	config  Config     // what New or Reload was given last
	tunings tunings
	counted registry
	groups  []*group  // as in the plan
	targets []*target // as in the plan
	leaving []*target // in no plan any more, but with requests
	former  []*plan   // no longer in force; a batch may still go by them
}

// New checks cfg and returns a Fanout that is ready for Submit. Errors name the
// option that is wrong. It connects to nothing before there is a request.
func New(cfg Config) (*Fanout, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	f := &Fanout{
		common:  newCommon(cfg),
		config:  cfg,
		tunings: newTunings(cfg.Targets),
		counted: newRegistry(cfg.Metrics),
	}
	f.life.begin()
	if cfg.Steer != nil {
		cfg.Steer.Store(SteerAll)
	}
	f.metrics = newGatewayMetrics(f)
	f.batches.New = func() any { return &batch{f: f} }
	f.mu.Lock()
	f.replan(cfg)
	f.mu.Unlock()
	f.life.ticking.Go(f.tick)
	return f, nil
}

// tickEvery is how often idle lanes are looked at, and queues that nobody takes
// from.
const tickEvery = 100 * time.Millisecond

func (f *Fanout) tick() {
	ticker := time.NewTicker(tickEvery)
	defer ticker.Stop()
	trim := time.NewTicker(trimEvery)
	defer trim.Stop()
	for {
		select {
		case <-ticker.C:
			for _, t := range f.observe() {
				t.tick(f.now())
			}
			f.steer()
		case <-trim.C:
			f.payloads.trim()
		case <-f.life.stopTick:
			return
		}
	}
}

// observe follows the samples of the groups, and returns all targets there are.
func (f *Fanout) observe() []*target {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, g := range f.groups {
		g.metrics.observe()
	}
	return slices.Concat(f.leaving, f.targets)
}
