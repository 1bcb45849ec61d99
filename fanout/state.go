package fanout

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// GroupState is what is in force for a group. The times say until when a value
// is tuned; they are zero if it stays.
type GroupState struct {
	Name        string
	Sample      float64 // share of the requests that the group takes, 0 to 1
	SampleUntil time.Time
	Effective   float64  // share that was taken and not dropped in the last second
	Methods     []string // empty: all
	Targets     []TargetState
}

// TargetState is what is in force for a target.
type TargetState struct {
	Name        string
	URL         string // without a password
	Weight      int
	WeightUntil time.Time
	Rate        float64 // requests a second at most; 0: no limit
	RateUntil   time.Time
	Paused      bool
	PausedUntil time.Time

	// The target does not pipeline, so it gets one request at a time, whatever
	// Batch says: until then, or the next reload if that is zero.
	Single      bool
	SingleUntil time.Time

	LastFailure Failure // since the target is as it is; Kind is empty if there was none

	Conns, Batch, Queue int
	Drop                DropPolicy
	Timeout, MaxAge     time.Duration
	Host                string
}

// Groups returns what is in force, in the order of the options.
func (f *Fanout) Groups() []GroupState {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.groupStates()
}

// groupStates is Groups with f.mu held.
func (f *Fanout) groupStates() []GroupState {
	configs := f.plan.Load().cfg.Targets
	states := make([]GroupState, len(f.groups))
	for i, g := range f.groups {
		states[i] = GroupState{
			Name: g.name, Sample: g.sample, SampleUntil: f.tunings.groups[g.name].sample.until,
			Effective: math.Float64frombits(g.metrics.effective.Load()), Methods: g.filter.methods,
		}
		for j := range configs {
			if tc := &configs[j]; tc.groupName() == g.name {
				tn := f.tunings.targets[tc.Name]
				single, singleUntil := f.targets[j].single()
				states[i].Targets = append(states[i].Targets, TargetState{
					Name: tc.Name, URL: tc.URL.Redacted(),
					Weight: tc.Weight, WeightUntil: tn.weight.until,
					Rate: tc.Rate, RateUntil: tn.rate.until,
					Paused: tc.paused, PausedUntil: tn.paused.until,
					Single: single, SingleUntil: singleUntil,
					LastFailure: f.targets[j].failures.get(),
					Conns:       tc.Conns, Batch: int(f.targets[j].batchLimit.Load()), Queue: tc.Queue, Drop: tc.Drop,
					Timeout: tc.Timeout, MaxAge: tc.MaxAge, Host: tc.Host,
				})
			}
		}
	}
	return states
}

// single reports whether the target is sent single requests because it does not
// pipeline, and until when: zero if that ends with the next reload.
func (t *target) single() (is bool, until time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch at := t.pipelining.resumeAt; at {
	case 0:
		return false, time.Time{}
	case forever:
		return true, time.Time{}
	default:
		return true, time.Now().Add(time.Duration(at - t.now()))
	}
}

// Describe returns a sentence for each group that says what will happen to the
// requests.
func (f *Fanout) Describe() []string {
	var lines []string
	for _, g := range f.plan.Load().groups {
		line := "mirroring " + FormatShare(g.sample) + " of "
		if len(g.filter.methods) > 0 {
			line += strings.Join(g.filter.methods, "+") + " "
		}
		line += "requests "
		if len(g.filter.paths) > 0 {
			line += "of " + strings.Join(g.filter.paths, " or ") + " "
		}
		if len(g.filter.hosts) > 0 {
			line += "at " + strings.Join(g.filter.hosts, " or ") + " "
		}
		line += "to "
		if len(g.members) > 1 || g.members[0].cfg.Group != "" {
			line += fmt.Sprintf("group %s (%d targets) ", g.name, len(g.members))
		}
		var urls []string
		for _, m := range g.members {
			share := ""
			if len(g.members) > 1 {
				share = " " + FormatShare(float64(m.weight)/float64(g.weight))
			}
			urls = append(urls, m.cfg.Name+"="+m.cfg.URL.Redacted()+share)
		}
		lines = append(lines, line+strings.Join(urls, ", "))
		for _, m := range g.members {
			if m.cfg.Records() {
				lines = append(lines, m.cfg.describeRecording())
			}
		}
	}
	return lines
}

// Differences returns the last requests that targets answered otherwise than
// production, up to 64 for each target, the latest first. If there are more than
// ten a second at a target, they are a sample.
func (f *Fanout) Differences() []Difference {
	all := []Difference{}
	f.mu.Lock()
	targets := f.targets
	f.mu.Unlock()
	for _, t := range targets {
		all = t.differs.appendTo(all)
	}
	slices.SortStableFunc(all, func(a, b Difference) int { return b.Time.Compare(a.Time) })
	return all
}
