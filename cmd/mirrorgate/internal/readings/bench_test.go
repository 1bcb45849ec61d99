package readings

import (
	"bytes"
	"fmt"
	"testing"
	"time"
)

// pageOf is a page of that many targets.
func pageOf(targets int) []byte {
	var b bytes.Buffer
	for i := range targets {
		fmt.Fprintf(&b, "sent{target=\"t%d\"} 12345\n", i)
		for _, reason := range []string{"queue_full", "stale", "dial", "breaker"} {
			fmt.Fprintf(&b, "dropped{target=\"t%d\",reason=%q} 12345\n", i, reason)
		}
		for bound := range 20 {
			fmt.Fprintf(&b, "duration_bucket{target=\"t%d\",le=\"%d\"} %d\n", i, bound, 100*bound)
		}
	}
	return b.Bytes()
}

// Two hundred targets, each of which is asked for what the page shows.
func BenchmarkReading(b *testing.B) {
	const targets = 200
	page := pageOf(targets)
	b.SetBytes(int64(len(page)))
	b.ReportAllocs()
	var before Reading
	for b.Loop() {
		r := Parse(time.Now(), bytes.NewReader(page))
		g := r.Since(before)
		for i := range targets {
			target := Target(fmt.Sprint("t", i))
			g.Rate("sent", target)
			g.Rates("reason", "dropped", target)
			g.Quantile(0.99, "duration", target)
		}
		before = r
	}
}
