package fanout

import (
	"math"
	"slices"
	"time"
)

func (f *Fanout) tick() {
	ticker := time.NewTicker(tickEvery)
	defer ticker.Stop()
	trim := time.NewTicker(trimEvery)
	defer trim.Stop()
	for {
		select {
		case <-ticker.C:
			for _, t := range f.tickGroups() {
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

// tickGroups follows the samples of the groups, and returns all targets there are.
func (f *Fanout) tickGroups() []*target {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, g := range f.groups {
		g.metrics.observe()
	}
	return slices.Concat(f.leaving, f.targets)
}

// tick closes connections that have been idle for long, wakes a worker for a queue
// that stands still or for a probe, drops what is stale though no worker comes
// for it, pipelines again after a pause, looks up the target's addresses again,
// and looks how much has to be shed.
func (t *target) tick(now int64) {
	t.dropStale(now)
	t.mu.Lock()
	if t.pipelining.resumes(now) {
		t.batchLimit.Store(t.perConn())
	}
	t.resolveAgain(now)
	old := t.removeIdle(func(c *conn) bool { return now-c.idleSince > idleTime })
	if t.cfg.Drop == DropUniform || t.options.Steer != nil {
		t.shedding.observe(t.served, t.queue.n, &t.cfg)
		t.room.Store(math.Float64bits(t.shedding.room))
	}
	w := t.wakeSleeper(now)
	surplus := t.popSurplus()
	t.mu.Unlock()
	w.rouse()
	if surplus != nil {
		surplus.rouse() // to its end
	}
	for _, c := range old {
		c.close()
	}
}

// steer decides what HAProxy is told until the next tick.
func (f *Fanout) steer() {
	steer := f.options.Steer
	if steer == nil {
		return
	}
	f.mu.Lock()
	targets := f.targets
	f.mu.Unlock()
	wanted, asked := steerFloor, false
	for _, t := range targets {
		t.steering.observe(t.metrics.selected.Get(), t.metrics.refused())
		if t.steering.silent < steerMemory {
			asked = true
			wanted = max(wanted, t.steering.share*admitted(t.length.Load(), math.Float64frombits(t.room.Load())))
		}
	}
	if !asked {
		wanted = 1
	}
	steer.Store(uint32(math.Round(wanted * SteerAll)))
}
