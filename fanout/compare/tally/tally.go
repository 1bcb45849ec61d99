package tally

import (
	"sync"

	"github.com/mirrorgate/mirrorgate/fanout/compare"
	"github.com/mirrorgate/mirrorgate/fanout/compare/route"
)

const (
	// MaxRoutes is how many routes are told apart.
	MaxRoutes = 200
	// minPairs is after how many pairs a route is told apart.
	minPairs = 10
	// maxCandidates bounds the routes that have fewer pairs.
	maxCandidates = 1000
)

// Pair is what is known of a request that two targets, or three, have served. It
// is borrowed for the time of a call.
type Pair struct {
	Method, Target []byte // of the request; the target is in origin-form
	// Reference and Response are the two that were compared; Copy is that of the
	// reference's second copy, nil if there is none or it came to nothing.
	Reference, Response, Copy *compare.Response
	Diff                      *compare.Diff // of Reference and Response
	Noise                     *compare.Diff // of Reference and Copy; nil if Copy is
	// Warming is whether the time of --warmup is not over: latencies do not count.
	Warming bool
}

// Options say what a Tally is about.
type Options struct {
	Target, Against, Noise string // names of targets; Noise is empty if there is none
	Namer                  route.Namer
}

// Side is whose failure left a request without its pair.
type Side string

const (
	ReferenceSide Side = "against"
	TargetSide    Side = "target"
	NoiseSide     Side = "noise" // the pair counts all the same, only the triple does not
)

// Tally counts the pairs of one target. It is safe for concurrent use.
type Tally struct {
	options Options

	mu         sync.Mutex
	routes     map[string]*Route // all but other
	candidates int               // of them, that have too few pairs
	other      *Route
	name       []byte
}

// New returns a Tally that has counted nothing.
func New(o Options) *Tally {
	t := &Tally{options: o}
	t.Reset()
	return t
}

// Reset forgets all that was counted, as after a new deployment.
func (t *Tally) Reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.routes, t.candidates = map[string]*Route{}, 0
	t.other = &Route{Name: route.Other}
}

// Add counts a pair. It returns the name of the route under which it did, and
// whether that has enough pairs for a slot of its own, as other has.
func (t *Tally) Add(p *Pair) (name string, slot bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.route(p)
	r.Results[p.Diff.Result]++
	if p.Diff.ByHash && p.Diff.Result == compare.Body {
		r.ByHash++
	}
	explained := p.Diff.Explained
	if t.options.Noise != "" {
		explained = explained && p.Noise != nil && p.Noise.Explained
	}
	if p.Noise != nil {
		r.Noise[p.Noise.Result]++
	}
	if explained {
		r.explain(p.Diff, p.Noise)
	}
	if !p.Warming && p.Reference.Error == "" && p.Response.Error == "" {
		r.Reference.Add(p.Reference.Duration)
		r.Target.Add(p.Response.Duration)
	}
	if r != t.other && r.Results.Pairs() == minPairs {
		t.candidates--
	}
	return r.Name, r == t.other || r.Results.Pairs() >= minPairs
}

// route finds the slot of a pair. Candidates count as routes do, so that none of
// their pairs is lost when they become one.
func (t *Tally) route(p *Pair) *Route {
	if notFound(p.Reference) && notFound(p.Response) && (p.Copy == nil || notFound(p.Copy)) {
		return t.other
	}
	t.name = t.options.Namer.AppendName(t.name[:0], p.Method, p.Target)
	if r, ok := t.routes[string(t.name)]; ok {
		return r
	}
	if string(t.name) == route.Other || len(t.routes)-t.candidates >= MaxRoutes {
		return t.other
	}
	if t.candidates == maxCandidates {
		t.dropCandidates()
	}
	r := &Route{Name: string(t.name)}
	t.routes[r.Name] = r
	t.candidates++
	return r
}

// notFound reports a path that the server does not know, as scanners try them.
func notFound(r *compare.Response) bool { return r.Status == 404 || r.Status == 405 }

func (t *Tally) dropCandidates() {
	for name, r := range t.routes {
		if r.Results.Pairs() < minPairs {
			t.other.merge(r)
			delete(t.routes, name)
		}
	}
	t.candidates = 0
}

// Totals are what was counted of all routes together.
type Totals struct {
	Explained int64  // pairs, or triples where there is a second copy
	Excess    Counts // of them, as Route.Excess
}

// Totals returns the sums without a copy of all that they are made of.
func (t *Tally) Totals() (all Totals) {
	t.mu.Lock()
	defer t.mu.Unlock()
	add := func(r *Route) {
		all.Explained += r.Explained
		all.Excess.merge(r.Excess)
	}
	for _, r := range t.routes {
		add(r)
	}
	add(t.other)
	return all
}
