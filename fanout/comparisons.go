package fanout

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/mirrorgate/mirrorgate/fanout/compare"
	"github.com/mirrorgate/mirrorgate/fanout/compare/example"
	"github.com/mirrorgate/mirrorgate/fanout/compare/route"
	"github.com/mirrorgate/mirrorgate/fanout/compare/tally"
)

// Compared is a target and what it is compared with.
type Compared struct {
	Target  string   // its name
	Against string   // another target's name, or AgainstProduction
	Noise   string   // the name of the second copy of Against; empty: none
	Methods []string // that the target gets; empty: all
}

// ErrNotCompared says that a target is not compared with another target. The error
// around it names the option that would do that.
var ErrNotCompared = errors.New("not compared")

// Compared returns all targets in the order of the options.
func (f *Fanout) Compared() []Compared {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []Compared
	for i := range f.config.Targets {
		t := &f.config.Targets[i]
		all = append(all, Compared{Target: t.Name, Against: t.Text("against"), Noise: t.Noise, Methods: t.Methods})
	}
	return all
}

// Comparison returns what was counted of a target that is compared with another
// one: since the start, or the last Fresh, or the last reload that changed what is
// compared or how. The Summary is the caller's. It adds up with those of other
// hosts (tally.Summary.Merge), of which a client has the JSON. The error is
// ErrUnknown or ErrNotCompared.
func (f *Fanout) Comparison(target string) (*tally.Summary, error) {
	n, err := f.comparison(target)
	if err != nil {
		return nil, err
	}
	return n.summary(), nil
}

// Totals returns the sums of Comparison over all routes, for little. The errors are
// those of Comparison.
func (f *Fanout) Totals(target string) (tally.Totals, error) {
	n, err := f.comparison(target)
	if err != nil {
		return tally.Totals{}, err
	}
	return n.tally.Totals(), nil
}

// Fresh begins the counts of a target anew, as after a new deployment under the
// same URL, and forgets its examples. Pairs of requests that came before do not
// count any more. Metrics go on. The errors are those of Comparison.
func (f *Fanout) Fresh(target string) error {
	n, err := f.comparison(target)
	if err != nil {
		return err
	}
	n.begin(f.now())
	return nil
}

// Examples returns the pairs that are kept of a target, the oldest first: of a
// route and a field (compare.Field.String), or of all where one is empty. They must
// not be changed. The errors are those of Comparison.
func (f *Fanout) Examples(target, route, field string) ([]*example.Example, error) {
	n, err := f.comparison(target)
	if err != nil {
		return nil, err
	}
	return n.examples.Examples(route, field), nil
}

// Warming returns for how long from now latencies do not count; 0: they do.
func (f *Fanout) Warming() time.Duration {
	if l := f.plan.Load().links; l != nil {
		return max(0, time.Duration(l.warmUntil-f.now()))
	}
	return 0
}

func (f *Fanout) comparison(target string) (*comparison, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, err := lookUp(f.tunings.targets, "target", target); err != nil {
		return nil, err
	}
	if l := f.plan.Load().links; l != nil {
		for _, k := range l.all {
			if l.sides[k.target].cfg.Name == target {
				return k.counts, nil
			}
		}
	}
	return nil, fmt.Errorf("%w: target %s is compared with no other target; give it against=NAME, the name of the target with the old version", ErrNotCompared, target)
}

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

// follow makes the rules of Compare, unless they are in force. f.mu is held.
func (f *Fanout) follow(c *Compare) {
	if f.rules != nil && reflect.DeepEqual(f.rules.from, *c) {
		return
	}
	must := func(err error) {
		if err != nil {
			panic("BUG: " + err.Error()) // it was validated
		}
	}
	r := &compareRules{from: *c, body: c.Body, budget: compare.NewBudget(c.CPU, time.Duration(f.now()))}
	var err error
	r.ignore, err = compare.ParseIgnore(c.Ignore)
	must(err)
	r.namer, err = c.namer()
	must(err)
	r.mask, err = example.NewMask(f.maskKey, c.Mask, c.Unmask)
	must(err)
	r.comparer = compare.NewComparer(r.ignore)
	f.rules = r
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

var tallySides = [...]tally.Side{tally.ReferenceSide, tally.TargetSide, tally.NoiseSide}

func sideIndex(whose tally.Side) int {
	switch whose {
	case tally.ReferenceSide:
		return 0
	case tally.TargetSide:
		return 1
	}
	return 2
}

// comparisonMetrics are the counters of a target that is compared with another one.
// They outlive a comparison.
type comparisonMetrics struct {
	set      *metrics.Set
	names    comparedNames
	compared [compare.Results]*metrics.Counter
	noise    [compare.Results]*metrics.Counter // nil without a second copy
	unpaired [len(tallySides)][unpairedReasons]*metrics.Counter
	routes   map[string]*[compare.Results]*metrics.Counter // of the goroutine of comparing alone
}

func newComparisonMetrics(set *metrics.Set, names comparedNames) *comparisonMetrics {
	m := &comparisonMetrics{set: set, names: names, routes: map[string]*[compare.Results]*metrics.Counter{}}
	for r := range compare.Results {
		m.compared[r] = set.GetOrCreateCounter(fmt.Sprintf("mirrorgate_compare_total{target=%q,against=%q,result=%q}", names.target, names.against, r))
		if names.noise == "" {
			continue
		}
		m.noise[r] = set.GetOrCreateCounter(fmt.Sprintf("mirrorgate_compare_noise_total{target=%q,noise=%q,result=%q}", names.target, names.noise, r))
	}
	for i, whose := range tallySides {
		for reason := unpairedReason(1); reason < unpairedReasons; reason++ {
			m.unpaired[i][reason] = set.GetOrCreateCounter(unpairedName(names.target, string(whose), reason.String()))
		}
	}
	m.slot(route.Other)
	return m
}

// route counts a pair of a route: up to tally.MaxRoutes are told apart for ever, the
// others are one.
func (m *comparisonMetrics) route(name string, result compare.Result) {
	r := m.routes[name]
	switch {
	case r != nil:
	case len(m.routes) > tally.MaxRoutes: // with other
		r = m.routes[route.Other]
	default:
		r = m.slot(name)
	}
	r[result].Inc()
}

func (m *comparisonMetrics) slot(name string) *[compare.Results]*metrics.Counter {
	r := new([compare.Results]*metrics.Counter)
	for i := range compare.Results {
		r[i] = m.set.GetOrCreateCounter(fmt.Sprintf("mirrorgate_compare_route_total{target=%q,route=%q,result=%q}", m.names.target, name, i))
	}
	m.routes[name] = r
	return r
}
