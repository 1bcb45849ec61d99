package fanout

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

var errDraining = errors.New("cannot change anything: mirrorgate is stopping")

// Reload puts another Config in force. Targets, groups, SampleBy, the header
// options, SendTruncated and Memory follow it; Metrics, Logger, Source, TLS and
// whatever else concerns connections in general stay those of New. A target that
// is as before, or differs only in rate, keeps its connections and its queue; one
// that changed or is gone sends what it has and then ends. No request is lost to
// it. All tunings end, and so does what was found out about how targets take HTTP. If the error is not nil, nothing has changed, and it names
// the option that is wrong.
func (f *Fanout) Reload(cfg Config) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.life.draining {
		return errDraining
	}
	for i := range cfg.Targets {
		tc := &cfg.Targets[i]
		if m := f.counted.targets[tc.Name]; m != nil && m.group != tc.groupName() {
			return fmt.Errorf("--target %s: it is in group %s now, but its counters belong to group %s; give it another name, or restart",
				tc.Name, tc.groupName(), m.group)
		}
	}
	f.tunings.end()
	f.tunings = newTunings(cfg.Targets)
	f.config = cfg
	f.replan(cfg)
	for _, t := range f.targets {
		t.learnAnew()
	}
	return nil
}

// continues reports whether a target of one Config can go on as that of another:
// all that its workers and its queue know is equal.
func (t *TargetConfig) continues(u *TargetConfig) bool {
	return t.Name == u.Name && t.URL.String() == u.URL.String() &&
		t.Conns == u.Conns && t.HTTP == u.HTTP && t.Batch == u.Batch && t.Queue == u.Queue && t.Drop == u.Drop &&
		t.Timeout == u.Timeout && t.MaxAge == u.MaxAge && t.Host == u.Host && t.Recording == u.Recording && t.TLSFiles == u.TLSFiles && t.ServerName == u.ServerName && t.linked() == u.linked()
}

// tune follows what may change while workers run.
func (t *target) tune(tc *TargetConfig) {
	t.paused.Store(tc.paused)
	if old := t.rate.Load(); tc.Rate == 0 {
		t.rate.Store(nil)
	} else if old == nil || old.perSecond != tc.Rate {
		t.rate.Store(newRateLimit(tc.Rate, t.now()))
	}
}

// retire lets a target go that is in no plan any more, once no event loop can
// bring it requests by a former one. f.mu is held.
func (f *Fanout) retire(t *target) {
	f.leaving = append(f.leaving, t)
	former := f.former
	f.life.leaving.Go(func() {
		for _, p := range former {
			f.awaitUnused(p)
		}
		ctx, cancel := context.WithTimeout(f.life.hurry, t.cfg.MaxAge+t.cfg.Timeout)
		defer cancel()
		t.end(ctx, dropRemoved)
		t.metrics.detach(t)
		f.mu.Lock()
		defer f.mu.Unlock()
		f.leaving = slices.DeleteFunc(slices.Clone(f.leaving), func(u *target) bool { return u == t })
	})
}

// awaitUnused waits for the batches that go by a former plan. They wait for
// nothing, so this is short.
func (f *Fanout) awaitUnused(p *plan) {
	for !p.unused() {
		select {
		case <-time.After(time.Millisecond):
		case <-f.life.hurry.Done():
			return
		}
	}
}

// learnAnew forgets what was found out about how the target takes HTTP.
func (t *target) learnAnew() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pipelining = pipelining{}
	t.batchLimit.Store(t.perConn())
	t.closeHeads.Store(false)
}
