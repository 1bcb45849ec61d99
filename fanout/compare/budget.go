package compare

import (
	"sync"
	"time"
)

// maxSaved is how long a Budget saves up.
const maxSaved = time.Second

// Budget bounds the CPU time for explaining. Its clock is the caller's: now is the
// time since any moment that stays the same. It is safe for concurrent use.
type Budget struct {
	share float64

	mu    sync.Mutex
	saved time.Duration // below zero after a pair that took long
	last  time.Duration
}

// NewBudget returns a Budget of a share of one core: 0.1 is 10 %. Zero explains
// nothing, a share of math.Inf(1) everything.
func NewBudget(share float64, now time.Duration) *Budget {
	b := &Budget{share: share, last: now}
	b.saved = b.earned(maxSaved)
	return b
}

// Admit reports whether a pair or triple is to be explained. It knows nothing of
// the pair, so that those that are explained are a fair sample.
func (b *Budget) Admit(now time.Duration) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if passed := now - b.last; passed > 0 {
		b.saved = min(b.saved+b.earned(min(passed, time.Hour)), b.earned(maxSaved))
		b.last = now
	}
	return b.saved > 0
}

// Spend takes off what an admitted pair or triple took.
func (b *Budget) Spend(took time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.saved -= took
}

// earned is the CPU time that a while brings in.
func (b *Budget) earned(passed time.Duration) time.Duration {
	return time.Duration(min(b.share*float64(passed), float64(1<<60)))
}
