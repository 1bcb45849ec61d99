package fanout

import (
	"fmt"

	"github.com/mirrorgate/mirrorgate/fanout/compare/example"
	"github.com/mirrorgate/mirrorgate/fanout/compare/tally"
)

// Compared is a target and what it is compared with.
type Compared struct {
	Target  string   // its name
	Against string   // another target's name, or AgainstProduction
	Noise   string   // the name of the second copy of Against; empty: none
	Methods []string // that the target gets; empty: all
}

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
// ErrUnknown, or says that the target is compared with no other one.
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
	return nil, fmt.Errorf("target %s is compared with no other target; give it against=NAME, the name of the target with the old version", target)
}
