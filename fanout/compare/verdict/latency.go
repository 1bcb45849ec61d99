package verdict

import (
	"math"
	"time"

	"github.com/mirrorgate/mirrorgate/fanout/compare/tally"
)

// quantileBounds bounds a quantile of what a histogram is a sample of. Durations at
// or below the true quantile q are Bernoulli with the share q, so a duration is
// excluded if its rank is, by the same inequality as a share of pairs (Howard and
// Ramdas, Bernoulli 28, 2022). What lies inside a bucket is not known: the bounds
// are at buckets' ends. high is +Inf if there is none yet.
func quantileBounds(h *tally.Histogram, q, level float64) (low, high float64) {
	n := float64(h.Count())
	high = math.Inf(1)
	h.Ranks(func(from, to time.Duration, upTo int64) {
		k := float64(upTo)
		switch excluded := binomial(k, n, q) >= level; {
		case excluded && k < q*n:
			low = to.Seconds()
		case excluded && math.IsInf(high, 1):
			high = to.Seconds()
		}
	})
	return low, high
}

// ratio is the change of a quantile, the target's over the reference's: 0.1 is 10 %
// slower. High is +Inf and low -1 where there is no bound.
type ratio struct{ change, low, high float64 }

// compareQuantiles bounds the change, each side at half of the level.
func compareQuantiles(reference, target *tally.Histogram, q, level float64) ratio {
	level += math.Ln2
	lowR, highR := quantileBounds(reference, q, level)
	lowT, highT := quantileBounds(target, q, level)
	r := ratio{low: lowT/highR - 1, high: math.Inf(1)}
	if lowR > 0 {
		r.high = highT/lowR - 1
	}
	if of := reference.Quantile(q); of > 0 {
		r.change = float64(target.Quantile(q))/float64(of) - 1
	}
	return r
}
