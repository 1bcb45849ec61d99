package fanout

import (
	"math"
	"time"
)

// With drop=uniform requests are shed at random before the queue is full, the
// more the fuller it is. A full queue alone would let in what comes right after
// a place got free: all of one moment and nothing of the next.

const (
	// shedFrom is the fill of the queue from which on requests are shed: below it
	// a target is merely busy.
	shedFrom = 0.125
	// shedSteepness is how fast the admitted share falls: by a factor e each time
	// that the fill grows by its inverse. Four times too much keeps the queue
	// filled to 0.4, and a burst of a few percent of it changes the share little.
	shedSteepness = 5
	// paceTicks is how long the rate at which a target takes requests is averaged
	// over, and knownAfter when it is believed: it may stop for breath.
	paceTicks  = int(5 * time.Second / tickEvery)
	knownAfter = int(time.Second / tickEvery)
	// leastRoom is the part of the queue that may be used in any case.
	leastRoom = 1.0 / 16
)

// shedding is how much a target with drop=uniform admits.
type shedding struct {
	room    float64 // requests that make the queue full
	taken   uint64  // by workers, up to the last tick
	perTick float64 // requests that workers took between two ticks, on average
	ticks   int     // that requests have been waiting for
}

// observe follows the target from tick to tick. A queue that it cannot empty in
// half of max-age would only fill with what becomes stale, which is no fair
// sample: it counts as full sooner. What a target takes tells its rate only as
// long as requests wait, and after some time.
func (s *shedding) observe(taken uint64, queued int, cfg *TargetConfig) {
	n := float64(taken - s.taken)
	s.taken = taken
	s.room = float64(cfg.Queue)
	if queued == 0 {
		s.ticks = 0
		return
	}
	if s.ticks++; s.ticks == 1 {
		s.perTick = 0
		return
	}
	s.perTick += (n - s.perTick) / float64(min(s.ticks-1, paceTicks))
	if s.ticks > knownAfter {
		half := s.perTick * float64(cfg.MaxAge/2/tickEvery)
		s.room = max(s.room*leastRoom, min(s.room, half))
	}
}

// admitted is the share of the requests that is let in when so many are queued.
func admitted(queued int64, room float64) float64 {
	fill := float64(queued) / room
	switch {
	case fill <= shedFrom:
		return 1
	case fill >= 1:
		return 0
	}
	return math.Exp(-shedSteepness * (fill - shedFrom))
}
