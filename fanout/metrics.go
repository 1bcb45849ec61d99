package fanout

import (
	"fmt"

	"github.com/VictoriaMetrics/metrics"

	"github.com/mirrorgate/mirrorgate/codec"
)

// errorKind says how a request that was sent ended without an answer.
type errorKind uint8

const (
	errorTimeout errorKind = iota
	errorReset
	errorProtocol
	errorAborted
	errorKinds
)

func (k errorKind) String() string {
	return [...]string{"timeout", "reset", "protocol", "aborted"}[k]
}

// codeClasses are the classes of status codes, 1xx to 5xx.
const codeClasses = 5

var (
	durationBuckets = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
	batchBuckets    = []float64{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024}
)

type gatewayMetrics struct {
	received *metrics.Counter
	rejected [codec.RejectAborted + 1]*metrics.Counter
}

func newGatewayMetrics(f *Fanout) *gatewayMetrics {
	set := f.cfg.Metrics
	m := &gatewayMetrics{received: set.NewCounter("mirrorgate_requests_received_total")}
	for _, r := range codec.Rejects {
		m.rejected[r] = set.NewCounter(fmt.Sprintf("mirrorgate_requests_rejected_total{reason=%q}", r))
	}
	set.NewGauge("mirrorgate_payload_bytes", func() float64 { return float64(f.held.Load()) })
	set.NewGauge("mirrorgate_memory_limit_bytes", func() float64 { return float64(f.cfg.Memory) })
	return m
}

type groupMetrics struct {
	sampledOut *metrics.Counter
	filtered   *metrics.Counter
}

func newGroupMetrics(set *metrics.Set, g *group) groupMetrics {
	set.NewGauge(fmt.Sprintf("mirrorgate_group_sample_ratio{group=%q}", g.name), func() float64 { return g.sample })
	return groupMetrics{
		sampledOut: set.NewCounter(fmt.Sprintf("mirrorgate_group_sampled_out_total{group=%q}", g.name)),
		filtered:   set.NewCounter(fmt.Sprintf("mirrorgate_group_filtered_total{group=%q,reason=\"method\"}", g.name)),
	}
}

type targetMetrics struct {
	selected  *metrics.Counter
	dropped   [dropReasons]*metrics.Counter
	sent      *metrics.Counter
	responses [codeClasses]*metrics.Counter
	errors    [errorKinds]*metrics.Counter
	opened    *metrics.Counter
	duration  *metrics.PrometheusHistogram
	batchSize *metrics.PrometheusHistogram
}

func newTargetMetrics(set *metrics.Set, t *target) *targetMetrics {
	name := t.cfg.Name
	counter := func(metric string) *metrics.Counter {
		return set.NewCounter(fmt.Sprintf("mirrorgate_target_%s_total{target=%q}", metric, name))
	}
	labelled := func(metric, label string, value any) *metrics.Counter {
		return set.NewCounter(fmt.Sprintf("mirrorgate_target_%s_total{target=%q,%s=%q}", metric, name, label, value))
	}
	gauge := func(metric string, f func() float64) {
		set.NewGauge(fmt.Sprintf("mirrorgate_target_%s{target=%q}", metric, name), f)
	}
	m := &targetMetrics{
		selected: counter("selected"),
		sent:     counter("sent"),
		opened:   counter("connections_opened"),
		duration: set.NewPrometheusHistogramExt(
			fmt.Sprintf("mirrorgate_target_duration_seconds{target=%q}", name), durationBuckets),
		batchSize: set.NewPrometheusHistogramExt(
			fmt.Sprintf("mirrorgate_target_batch_size{target=%q}", name), batchBuckets),
	}
	for r := dropNone + 1; r < dropReasons; r++ {
		m.dropped[r] = labelled("dropped", "reason", r)
	}
	for i := range codeClasses {
		m.responses[i] = labelled("responses", "code", fmt.Sprintf("%dxx", i+1))
	}
	for k := range errorKinds {
		m.errors[k] = labelled("errors", "kind", k)
	}
	gauge("queue_length", func() float64 { return float64(t.length.Load()) })
	gauge("inflight", func() float64 { return float64(t.inflight.Load()) })
	gauge("connections", func() float64 { return float64(t.client.ConnsCount()) })
	gauge("breaker_open", func() float64 {
		if t.breaker.open() {
			return 1
		}
		return 0
	})
	gauge("batch_limit", func() float64 { return float64(t.batchLimit.Load()) })
	return m
}

func (m *targetMetrics) countDropped(dropped *[dropReasons]int) {
	for reason, n := range dropped {
		if n > 0 {
			m.dropped[reason].Add(n)
		}
	}
}

// outcome collects how the requests of one batch ended, so that they are
// counted, and their payloads given back, once for all.
type outcome struct {
	dropped   [dropReasons]int
	responses [codeClasses]int
	errors    [errorKinds]int
	free      *payload // a chain of those that nobody holds any more
	freed     int64    // their bytes
	left      int64    // bytes of payload that this target holds no more
	ended     int64    // requests
}

// settle counts the outcome and makes it empty.
func (t *target) settle(o *outcome) {
	if o.ended == 0 {
		return
	}
	t.metrics.countDropped(&o.dropped)
	sent := 0
	for i, n := range o.responses {
		if n > 0 {
			t.metrics.responses[i].Add(n)
			sent += n
		}
	}
	for i, n := range o.errors {
		if n > 0 {
			t.metrics.errors[i].Add(n)
			sent += n
		}
	}
	t.metrics.sent.Add(sent)
	t.held.Add(-o.left)
	t.f.held.Add(-o.freed)
	t.f.payloads.put(o.free)
	*o = outcome{}
}

// end gives the entry's payload back; its outcome is counted by the caller.
func (o *outcome) end(e entry) {
	o.ended++
	cost := e.cost()
	o.left += cost
	if e.unref() {
		o.freed += cost
		e.next = o.free
		o.free = e.payload
	}
}

func (o *outcome) drop(e entry, reason dropReason) {
	o.dropped[reason]++
	o.end(e)
}

func (o *outcome) fail(e entry, kind errorKind) {
	o.errors[kind]++
	o.end(e)
}
