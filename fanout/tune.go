package fanout

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ErrUnknown says that there is no group, or no target, of a name. The error
// around it names those that there are.
var ErrUnknown = errors.New("unknown name")

// GroupTuning is what can be changed of a group while it runs; nil leaves a
// value as it is.
type GroupTuning struct {
	Sample *float64 // 0 to 1
}

// TargetTuning is what can be changed of a target while it runs; nil leaves a
// value as it is.
type TargetTuning struct {
	Rate   *float64 // requests a second at most; 0: no limit
	Weight *int     // 1 or more
	Paused *bool    // drop new requests; what is queued is still sent
}

// TuneGroup changes a group at once, until the next Reload or, if d is not 0,
// for the time d: then what was tuned for good, or else configured, is in force
// again. It loses no request. The error is ErrUnknown, or says in one sentence
// what would be right; nothing has changed then.
func (f *Fanout) TuneGroup(name string, g GroupTuning, d time.Duration) error {
	if g.Sample != nil && !validSample(*g.Sample) {
		return errSample(*g.Sample)
	}
	return f.tuned(d, func(revert func()) error {
		t, err := lookUp(f.tunings.groups, "group", name)
		if err != nil {
			return err
		}
		t.sample.tune(g.Sample, d, revert)
		return nil
	})
}

// TuneTarget changes a target as TuneGroup changes a group.
func (f *Fanout) TuneTarget(name string, t TargetTuning, d time.Duration) error {
	if t.Rate != nil && !validRate(*t.Rate) {
		return errRate(*t.Rate)
	}
	if t.Weight != nil && !validWeight(*t.Weight) {
		return errWeight(*t.Weight)
	}
	return f.tuned(d, func(revert func()) error {
		tn, err := lookUp(f.tunings.targets, "target", name)
		if err != nil {
			return err
		}
		tn.rate.tune(t.Rate, d, revert)
		tn.weight.tune(t.Weight, d, revert)
		tn.paused.tune(t.Paused, d, revert)
		return nil
	})
}

// tuned lets change do its work on the tunings, and puts them in force.
func (f *Fanout) tuned(d time.Duration, change func(revert func()) error) error {
	if d < 0 {
		return fmt.Errorf("for is %v, should be a time above 0 like 10m", d)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.life.draining {
		return errDraining
	}
	if err := change(f.revert); err != nil {
		return err
	}
	f.replanLogged("tuned")
	return nil
}

// revert ends the tunings whose time is over.
func (f *Fanout) revert() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.life.draining {
		f.replanLogged("tuning ended")
	}
}

// replanLogged makes a plan of the same Config, and logs each value that it
// changes. f.mu is held.
func (f *Fanout) replanLogged(what string) {
	before := f.groupStates()
	f.replan(f.config)
	for i, g := range f.groupStates() {
		log := func(kind, name, setting, from, to string, until time.Time) {
			if from == to {
				return
			}
			attrs := []any{kind, name, setting, to, "was", from}
			if !until.IsZero() {
				attrs = append(attrs, "until", until.Format(time.DateTime))
			}
			f.log.Info(what, attrs...)
		}
		log("group", g.Name, "sample", FormatShare(before[i].Sample), FormatShare(g.Sample), g.SampleUntil)
		for j, t := range g.Targets {
			was := before[i].Targets[j]
			log("target", t.Name, "rate", FormatRate(was.Rate), FormatRate(t.Rate), t.RateUntil)
			log("target", t.Name, "weight", strconv.Itoa(was.Weight), strconv.Itoa(t.Weight), t.WeightUntil)
			log("target", t.Name, "paused", strconv.FormatBool(was.Paused), strconv.FormatBool(t.Paused), t.PausedUntil)
		}
	}
}

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
