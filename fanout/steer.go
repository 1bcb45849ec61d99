package fanout

import "time"

// With steering, HAProxy is told what share of its requests to send, so that
// what would be dropped is not sent at all. Sending less thins the stream of
// every target alike, so the target that takes the most decides: nothing is held
// back that any of them would take. A target's own sample does not count: what
// it leaves out is meant to come here.

// SteerAll stands for all requests in what HAProxy is told.
const SteerAll = 10_000

const (
	// steerFloor is the least that is asked for: without a request there is no ACK,
	// and HAProxy could not be told that more is wanted again.
	steerFloor = 0.01
	// steerRise is by how much more is asked for from tick to tick while nothing is
	// refused: a hundred times as much takes two seconds.
	steerRise = 1.25
	// steerFall is the least that is left of it in one tick.
	steerFall = 0.5
	// steerMemory is for how many ticks a target without requests has a say.
	steerMemory = int(10 * time.Second / tickEvery)
)

// steering is what share of its requests a target takes. There are two reasons
// to take less. What waits in its queue tells at once, before anything is
// dropped, and as in shedding; to what is refused for another reason, such as its
// rate or its breaker, the share is led step by step.
type steering struct {
	selected, refused uint64 // up to the last tick
	share             float64
	silent            int // ticks since the last request
}

// newSteering takes all. Counters of that name may have been there before.
func newSteering(selected, refused uint64) steering {
	return steering{selected: selected, refused: refused, share: 1, silent: steerMemory}
}

// observe follows the target from tick to tick.
func (s *steering) observe(selected, refused uint64) {
	came, gone := selected-s.selected, refused-s.refused
	s.selected, s.refused = selected, refused
	s.silent++
	if came > 0 {
		s.silent = 0
	}
	switch {
	case gone == 0:
		s.share = min(1, s.share*steerRise)
	case came > 0:
		s.share = max(steerFloor, s.share*max(steerFall, 1-float64(gone)/float64(came)))
	}
}
