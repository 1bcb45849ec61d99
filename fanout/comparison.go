package fanout

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mirrorgate/mirrorgate/fanout/compare/example"
	"github.com/mirrorgate/mirrorgate/fanout/compare/route"
	"github.com/mirrorgate/mirrorgate/fanout/compare/tally"
)

// comparison counts the pairs of one target. A reload that changes what is compared,
// or how, makes another one, which begins anew; metrics go on.
type comparison struct {
	*common
	what     comparedWhat
	rules    *compareRules
	metrics  *comparisonMetrics
	tally    *tally.Tally
	examples *example.Store
	limit    *rateLimit // of examples

	from    atomic.Int64                                   // when it began: of earlier requests nothing counts
	missing [len(tallySides)][unpairedReasons]atomic.Int64 // requests without a pair

	mu    sync.Mutex // never held for long, and not wanted by event loops
	since time.Time
	held  int64 // bytes of examples that are counted in memory
}

// comparedNames are those of the targets of a comparison; noise may be empty.
type comparedNames struct{ target, against, noise string }

// comparedWhat is what a comparison is of.
type comparedWhat struct {
	comparedNames
	urls comparedNames
}

// comparisonOf returns that of a linked target, which goes on if nothing of it has
// changed. f.mu is held.
func (f *Fanout) comparisonOf(cfg *Config, t *TargetConfig) *comparison {
	what := comparedWhat{comparedNames: comparedNames{t.Name, t.Against, t.Noise}}
	for i := range cfg.Targets {
		u := &cfg.Targets[i]
		switch u.Name {
		case t.Name:
			what.urls.target = u.URL.String()
		case t.Against:
			what.urls.against = u.URL.String()
		case t.Noise:
			what.urls.noise = u.URL.String()
		}
	}
	if n := f.compared[t.Name]; n != nil && n.what == what && n.rules == f.rules {
		return n
	}
	if old := f.compared[t.Name]; old != nil {
		old.end()
	}
	n := &comparison{
		common: f.common, what: what, rules: f.rules, metrics: f.counted.comparison(what.comparedNames),
		tally:    tally.New(tally.Options{Target: what.target, Against: what.against, Noise: what.noise, Namer: f.rules.namer}),
		examples: example.NewStore(), limit: newRateLimit(examplesPerSecond, f.now()),
	}
	n.begin(math.MinInt64)
	f.compared[t.Name] = n
	return n
}

// add counts a pair.
func (n *comparison) add(tp *tally.Pair, p *pair) {
	n.metrics.compared[tp.Diff.Result].Inc()
	if tp.Noise != nil {
		n.metrics.noise[tp.Noise.Result].Inc()
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.stale(p.at) {
		n.metrics.route(route.Other, tp.Diff.Result)
		return
	}
	name, slot := n.tally.Add(tp)
	n.keepExample(tp, p, name)
	if !slot {
		name = route.Other
	}
	n.metrics.route(name, tp.Diff.Result)
}

// unpaired counts a request that came at that time and has no pair.
func (n *comparison) unpaired(whose tally.Side, reason unpairedReason, at int64) {
	i := sideIndex(whose)
	n.metrics.unpaired[i][reason].Inc()
	if !n.stale(at) {
		n.missing[i][reason].Add(1)
	}
}

// stale reports whether a request came before the counts began.
func (n *comparison) stale(at int64) bool { return at < n.from.Load() }

// begin begins the counts anew: with requests that come from that time on.
func (n *comparison) begin(from int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.from.Store(from)
	n.since = time.Now()
	n.tally.Reset()
	for i := range n.missing {
		for j := range n.missing[i] {
			n.missing[i][j].Store(0)
		}
	}
	n.examples.Reset()
	n.countExamples()
}

// end lets go of what is held: what comes is counted in metrics alone.
func (n *comparison) end() { n.begin(math.MaxInt64) }

func (n *comparison) summary() *tally.Summary {
	n.mu.Lock()
	since := n.since
	n.mu.Unlock()
	s := n.tally.Summary()
	s.Since, s.Seconds = since, time.Since(since).Seconds()
	for i, whose := range tallySides {
		for reason := range n.missing[i] {
			if count := n.missing[i][reason].Load(); count > 0 {
				s.Unpaired = append(s.Unpaired, tally.Unpaired{Side: whose, Reason: unpairedReason(reason).String(), Count: count})
			}
		}
	}
	return s
}
