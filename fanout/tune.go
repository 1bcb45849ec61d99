package fanout

import (
	"fmt"
	"strconv"
	"time"
)

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
