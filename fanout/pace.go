package fanout

import "time"

const (
	// fastResponse divides targets that answer so fast that a request behind
	// another hardly waits, and full batches cost least, from those where what
	// came together has to run together.
	fastResponse = int64(500 * time.Microsecond)
	// paceWindow is how many batches the pace looks back, at least.
	paceWindow = 32
)

// pace is how fast a target can answer: the shortest time to the first response
// of a batch among the last ones. The shortest, for on a busy host most of the
// others tell how long we waited for a core ourselves, and more connections
// would only make that worse.
type pace struct {
	now, before int64 // nanoseconds, in this window and in the one before; 0: none
	batches     int   // in this window
}

func (p *pace) add(first int64) {
	if p.batches == paceWindow {
		p.before, p.now, p.batches = p.now, 0, 0
	}
	p.batches++
	if p.now == 0 || first < p.now {
		p.now = max(first, 1)
	}
}

// fast reports whether the target answers in well under a millisecond. Nothing
// is known of one that has not answered yet.
func (p *pace) fast() bool {
	return p.now > 0 && p.now < fastResponse || p.before > 0 && p.before < fastResponse
}
