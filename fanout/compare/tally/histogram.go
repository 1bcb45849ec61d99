package tally

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"
)

const (
	shortest   = 10 * time.Microsecond
	growth     = 1.02 // of each bucket over the one before
	maxBuckets = 1024 // the last one begins beyond an hour
)

var lnGrowth = math.Log(growth)

// Histogram counts durations in buckets of 2 %. Its zero value is empty.
type Histogram struct {
	buckets []bucket // those that are not empty, by index
	count   int64
}

type bucket struct {
	index int
	count int64
}

// Count is how many durations there are.
func (h *Histogram) Count() int64 { return h.count }

// Add counts one duration.
func (h *Histogram) Add(d time.Duration) {
	index := 0
	if d > shortest {
		index = min(1+int(math.Log(float64(d)/float64(shortest))/lnGrowth), maxBuckets-1)
	}
	h.add(index, 1)
}

func (h *Histogram) add(index int, n int64) {
	i, found := slices.BinarySearchFunc(h.buckets, index, func(b bucket, index int) int { return cmp.Compare(b.index, index) })
	if !found {
		h.buckets = slices.Insert(h.buckets, i, bucket{index: index})
	}
	h.buckets[i].count += n
	h.count += n
}

// Merge adds what another histogram counted.
func (h *Histogram) Merge(o *Histogram) {
	for _, b := range o.buckets {
		h.add(b.index, b.count)
	}
}

// Ranks calls f for each bucket, in rising order, with the durations between which
// it counts, and how many durations there are up to its end.
func (h *Histogram) Ranks(f func(from, to time.Duration, upTo int64)) {
	var sum int64
	for _, b := range h.buckets {
		sum += b.count
		f(edge(b.index-1), edge(b.index), sum)
	}
}

// edge is where a bucket ends.
func edge(index int) time.Duration {
	if index < 0 {
		return 0
	}
	return time.Duration(float64(shortest) * math.Pow(growth, float64(index)))
}

// Quantile returns the duration that a share q of all are at or below, at most 2 %
// more; 0 if there are none.
func (h *Histogram) Quantile(q float64) (d time.Duration) {
	rank := max(int64(math.Ceil(q*float64(h.count))), 1)
	found := false
	h.Ranks(func(_, to time.Duration, upTo int64) {
		if !found && upTo >= rank {
			d, found = to, true
		}
	})
	return d
}

func (h *Histogram) clone() Histogram { return Histogram{slices.Clone(h.buckets), h.count} }

// MarshalJSON writes pairs of index and count.
func (h Histogram) MarshalJSON() ([]byte, error) {
	pairs := make([][2]int64, len(h.buckets))
	for i, b := range h.buckets {
		pairs[i] = [2]int64{int64(b.index), b.count}
	}
	return json.Marshal(pairs)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (h *Histogram) UnmarshalJSON(b []byte) error {
	var pairs [][2]int64
	if err := json.Unmarshal(b, &pairs); err != nil {
		return fmt.Errorf("cannot read histogram: %w", err)
	}
	*h = Histogram{}
	for _, p := range pairs {
		if p[0] < 0 || p[0] >= maxBuckets || p[1] < 0 {
			return fmt.Errorf("cannot read histogram: %d at bucket %d", p[1], p[0])
		}
		h.add(int(p[0]), p[1])
	}
	return nil
}
