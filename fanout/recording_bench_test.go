package fanout

import (
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/mirrorgate/mirrorgate/codec"
)

// BenchmarkRecord is the processor time of a request of 444 bytes that is recorded,
// beside one that no target gets: all of it but HAProxy's side.
func BenchmarkRecord(b *testing.B) {
	run := func(name string, target func() string) {
		b.Run(name, func(b *testing.B) {
			f := newFanout(b, nil, target()+",queue=8192")
			reqs := slices.Repeat([]codec.Request{browserRequest()}, 10)
			begun := processorTime()
			n := 0
			for b.Loop() {
				for !f.Fits(len(reqs), 8000) {
					time.Sleep(time.Millisecond)
				}
				f.Submit(reqs)
				n += len(reqs)
			}
			drain(b, f)
			b.ReportMetric(float64(processorTime()-begun)/float64(n), "cpu-ns/request")
			if dropped := f.targets[0].metrics.droppedTotal(); dropped > 0 {
				b.Errorf("%d of %d dropped", dropped, n)
			}
		})
	}
	run("no target", func() string { return nobody + ",sample=0" })
	run("file", func() string { return "file://" + b.TempDir() + ",max=4GiB,sync=none" })
	run("masked", func() string { return "file://" + b.TempDir() + ",max=4GiB,sync=none,mask=session" })
	run("kafka", func() string { _, url := fakeKafka(b); return url }) // with the broker in this process
}

func processorTime() int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}
