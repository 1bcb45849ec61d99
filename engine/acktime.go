package engine

import (
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

const ackTimeName = "mirrorgate_spop_ack_seconds"

// ackBounds are the upper bounds of the buckets, from a few system calls to what
// production would feel.
var ackBounds = [...]time.Duration{
	5 * time.Microsecond, 10 * time.Microsecond, 25 * time.Microsecond,
	50 * time.Microsecond, 100 * time.Microsecond, 250 * time.Microsecond,
	500 * time.Microsecond, time.Millisecond, 2500 * time.Microsecond,
	5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond,
	50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond,
	500 * time.Millisecond, time.Second,
}

// ackTime is a histogram of the time from a read to the write of the ACKs for
// it, by ACK. The histograms of the metrics library lock, and take a value at a
// time; event loops must not wait for each other, and have many ACKs of one age.
type ackTime struct {
	buckets [len(ackBounds) + 1]atomic.Uint64 // not cumulative; the last one is +Inf
	sum     atomic.Int64                      // ns
}

// add counts n ACKs that took d. It is two atomic additions.
func (a *ackTime) add(d time.Duration, n int) {
	i := 0
	for i < len(ackBounds) && d > ackBounds[i] {
		i++
	}
	a.buckets[i].Add(uint64(n))
	a.sum.Add(int64(n) * int64(d))
}

// write writes a in Prometheus text format. The count is that of the buckets,
// which an addition in between cannot contradict.
func (a *ackTime) write(w io.Writer) {
	metrics.WriteMetadataIfNeeded(w, ackTimeName, "histogram")
	var count uint64
	for i, bound := range ackBounds {
		count += a.buckets[i].Load()
		fmt.Fprintf(w, "%s_bucket{le=\"%v\"} %d\n", ackTimeName, bound.Seconds(), count)
	}
	count += a.buckets[len(ackBounds)].Load()
	fmt.Fprintf(w, "%s_bucket{le=\"+Inf\"} %d\n", ackTimeName, count)
	fmt.Fprintf(w, "%s_sum %v\n", ackTimeName, time.Duration(a.sum.Load()).Seconds())
	fmt.Fprintf(w, "%s_count %d\n", ackTimeName, count)
}
