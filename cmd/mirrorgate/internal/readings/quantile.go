package readings

import (
	"math"
	"slices"
	"strconv"
)

// Quantile estimates the q-quantile, 0 to 1, of what the histogram of the series
// with the labels observed, as Prometheus does: evenly spread inside a bucket,
// and what is beyond the last bound at that bound. It is NaN if nothing was
// observed.
func (r Reading) Quantile(q float64, family string, labels ...Label) float64 {
	buckets := slices.Collect(r.all(family+"_bucket", labels))
	if len(buckets) == 0 || buckets[len(buckets)-1].value <= 0 {
		return math.NaN()
	}
	rank := q * buckets[len(buckets)-1].value
	lower, below := 0.0, 0.0
	for _, s := range buckets {
		text, _ := s.label("le")
		upper, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsInf(upper, 1) {
			break
		}
		if s.value >= rank && s.value > below {
			return lower + (upper-lower)*(rank-below)/(s.value-below)
		}
		lower, below = upper, s.value
	}
	return lower
}
