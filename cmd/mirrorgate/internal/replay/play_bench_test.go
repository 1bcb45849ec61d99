package replay

import (
	"context"
	"fmt"
	"log/slog"
	"testing"

	"github.com/VictoriaMetrics/metrics"

	"github.com/mirrorgate/mirrorgate/fanout"
	"github.com/mirrorgate/mirrorgate/fanout/record"
)

// BenchmarkPlay is what a replay costs up to where a request that HAProxy sends is
// looked at, of 444 bytes.
func BenchmarkPlay(b *testing.B) {
	target, err := fanout.ParseTarget("http://127.0.0.1:1,sample=0", fanout.DefaultTarget(), 1)
	if err != nil {
		b.Fatal(err)
	}
	f, err := fanout.New(fanout.Config{
		Targets: []fanout.TargetConfig{target}, Memory: 64 << 20, Metrics: metrics.NewSet(), Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatal(err)
	}
	defer f.Drain(context.Background())
	block := make([]record.Record, MaxBatch)
	for i := range block {
		wire := fmt.Appendf(nil, "GET /catalogue/items?page=%03d HTTP/1.1\r\nhost: shop.example.com\r\n", i)
		for j := range 8 {
			wire = fmt.Appendf(wire, "x-header-%d: some value that is %022d\r\n", j, i)
		}
		block[i] = record.Record{Time: int64(i), Took: -1, Wire: append(wire, "\r\n"...)}
	}
	b.SetBytes(int64(len(block) * len(block[0].Wire)))
	b.ReportAllocs()
	p := Player{Sink: f, Batch: MaxBatch, Progress: func() {}}
	for b.Loop() {
		source := tape{block}
		if err := p.Play(context.Background(), &source); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(p.Played), "ns/request")
}
