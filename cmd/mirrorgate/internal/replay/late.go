package replay

import (
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// lateAfter is how much later than it should a request is sent to count as late: less
// is what timers of a sound host are.
const lateAfter = 5 * time.Millisecond

// Lateness is how much later than they should requests were sent.
type Lateness struct {
	Requests int64
	Late     int64 // by more than 5 ms
	by       *hdrhistogram.Histogram
}

func newLateness() Lateness {
	return Lateness{by: hdrhistogram.New(1, time.Hour.Microseconds(), 3)}
}

func (l *Lateness) add(by time.Duration, n int64) {
	l.Requests += n
	if by > lateAfter {
		l.Late += n
	}
	l.by.RecordValues(min(max(by.Microseconds(), 1), time.Hour.Microseconds()), n)
}

// Quantile returns how late a request was at that quantile, from 0 to 1.
func (l *Lateness) Quantile(q float64) time.Duration {
	return time.Duration(l.by.ValueAtQuantile(100*q)) * time.Microsecond
}

// String writes how many were late, and how late.
func (l *Lateness) String() string {
	return fmt.Sprintf("%d late by more than %v, lateness p50 %v, p99 %v, max %v",
		l.Late, lateAfter, l.Quantile(.5), l.Quantile(.99), l.Quantile(1))
}
