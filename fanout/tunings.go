package fanout

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// tunings are what is tuned, by name. Those of names that are not in the Config
// do not exist.
type tunings struct {
	groups  map[string]*groupTuning
	targets map[string]*targetTuning
}

type groupTuning struct{ sample setting[float64] }

type targetTuning struct {
	rate   setting[float64]
	weight setting[int]
	paused setting[bool]
}

func newTunings(targets []TargetConfig) tunings {
	t := tunings{make(map[string]*groupTuning), make(map[string]*targetTuning)}
	for i := range targets {
		t.groups[targets[i].groupName()] = new(groupTuning)
		t.targets[targets[i].Name] = new(targetTuning)
	}
	return t
}

func lookUp[T any](tunings map[string]*T, kind, name string) (*T, error) {
	if t := tunings[name]; t != nil {
		return t, nil
	}
	return nil, fmt.Errorf("%w: there is no %s %q, but %s", ErrUnknown, kind, name,
		strings.Join(slices.Sorted(maps.Keys(tunings)), ", "))
}

// apply returns the targets with the tunings on top.
func (t *tunings) apply(targets []TargetConfig) []TargetConfig {
	targets = slices.Clone(targets)
	for i := range targets {
		tc := &targets[i]
		t.groups[tc.groupName()].sample.apply(&tc.Sample)
		tn := t.targets[tc.Name]
		tn.rate.apply(&tc.Rate)
		tn.weight.apply(&tc.Weight)
		tn.paused.apply(&tc.paused)
	}
	return targets
}

// end keeps timers from firing any more.
func (t *tunings) end() {
	for _, g := range t.groups {
		g.sample.stop()
	}
	for _, t := range t.targets {
		t.rate.stop()
		t.weight.stop()
		t.paused.stop()
	}
}

// setting is one value that can be tuned: for good, and on top of that for a
// while.
type setting[T any] struct {
	forGood, forAWhile *T
	until              time.Time
	timer              *time.Timer
}

// tune sets the value for the time d, or for good if that is 0; nil leaves it.
// revert is called when the time is over.
func (s *setting[T]) tune(value *T, d time.Duration, revert func()) {
	if value == nil {
		return
	}
	s.stop()
	s.forAWhile, s.until = nil, time.Time{}
	if d == 0 {
		s.forGood = value
		return
	}
	s.forAWhile, s.until = value, time.Now().Add(d)
	s.timer = time.AfterFunc(d, revert)
}

// apply sets to, if the value is tuned at this time.
func (s *setting[T]) apply(to *T) {
	if s.forAWhile != nil && !time.Now().Before(s.until) {
		s.forAWhile, s.until = nil, time.Time{}
	}
	switch {
	case s.forAWhile != nil:
		*to = *s.forAWhile
	case s.forGood != nil:
		*to = *s.forGood
	}
}

func (s *setting[T]) stop() {
	if s.timer != nil {
		s.timer.Stop()
	}
}

// ErrUnknown says that there is no group, or no target, of a name. The error
// around it names those that there are.
var ErrUnknown = errors.New("unknown name")
