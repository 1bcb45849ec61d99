package verdict

import "math"

// unknownFactor is beyond what anyone waits for.
const unknownFactor = 1 << 20

// wait makes j.factor so large that so many times as many pairs decide this
// hypothesis, too, if what comes is like what came.
func (j *judge) wait(s share) {
	n := max(s.n, 1)
	decided := func(factor float64) bool {
		more := share{n * factor, s.differs * factor, s.noise * factor, s.triples}
		return more.excludes(j.rule.Tolerance, j.level)
	}
	if math.IsInf(j.factor, 1) || j.factor > 1 && decided(j.factor) {
		return
	}
	low, high := j.factor, 2*j.factor
	for ; !decided(high); low, high = high, high*2 {
		if high > unknownFactor {
			j.factor = math.Inf(1)
			return
		}
	}
	for range 10 {
		if m := (low + high) / 2; decided(m) {
			high = m
		} else {
			low = m
		}
	}
	j.factor = high
}

// latencyFactor follows from bounds that close in by the root of the number.
func latencyFactor(r ratio, limit float64) float64 {
	width, distance := r.high-r.low, math.Abs(r.change-limit)
	if math.IsInf(width, 1) || distance == 0 {
		return math.Inf(1)
	}
	return max(width*width/(distance*distance)/4, 1)
}

// more says how many more pairs it takes, and how long.
func (j *judge) more(seconds float64) {
	if math.IsInf(j.factor, 1) {
		return
	}
	explained := max(float64(j.v.Explained), 1) / max(j.pairs, 1)
	pairs := int64(math.Ceil(j.factor*max(j.pairs, 1/explained))) - j.v.Pairs
	pairs = max(pairs, 1)
	j.v.MorePairs = &pairs
	if j.v.Pairs > 0 && seconds > 0 {
		wait := float64(pairs) * seconds / float64(j.v.Pairs)
		j.v.MoreSeconds = &wait
	}
}
