package bench

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// The range of the histograms in nanoseconds, in steps of a thousandth.
const (
	latencyMin    = int64(100)
	latencyMax    = int64(time.Minute)
	latencyDigits = 3
)

func newLatency() *hdrhistogram.Histogram {
	return hdrhistogram.New(latencyMin, latencyMax, latencyDigits)
}

// recordLatency counts d, cut to the range of the histogram.
func recordLatency(h *hdrhistogram.Histogram, d time.Duration) {
	// Within the range RecordValue has no error.
	_ = h.RecordValue(min(max(int64(d), latencyMin), latencyMax))
}

const (
	barWidth   = 50
	barsPerTen = 5
)

// bars draws the distribution of h, one line for a fifth of a decade.
func bars(h *hdrhistogram.Histogram) string {
	if h.TotalCount() == 0 {
		return ""
	}
	counts := map[int]int64{}
	lowest, highest, most := math.MaxInt, math.MinInt, int64(0)
	for _, bar := range h.Distribution() {
		if bar.Count == 0 {
			continue
		}
		i := int(math.Floor(math.Log10(float64(max(bar.From, 1))) * barsPerTen))
		counts[i] += bar.Count
		lowest, highest, most = min(lowest, i), max(highest, i), max(most, counts[i])
	}
	var b strings.Builder
	for i := lowest; i <= highest; i++ {
		upper := time.Duration(math.Pow(10, float64(i+1)/barsPerTen))
		width := int(math.Ceil(float64(counts[i]) / float64(most) * barWidth))
		fmt.Fprintf(&b, "  < %8s %-*s %d\n", roundTime(upper), barWidth, strings.Repeat("█", width), counts[i])
	}
	return b.String()
}

// roundTime cuts d to three digits.
func roundTime(d time.Duration) time.Duration {
	unit := time.Duration(1)
	for d/unit >= 1000 {
		unit *= 10
	}
	return d.Round(unit)
}
