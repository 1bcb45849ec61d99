package fanout

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/VictoriaMetrics/metrics"

	"github.com/mirrorgate/mirrorgate/codec"
)

var (
	durationBuckets = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
	batchBuckets    = []float64{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024}
)

type gatewayMetrics struct {
	received *metrics.Counter
	rejected [codec.RejectAborted + 1]*metrics.Counter
}

func newGatewayMetrics(shared *common) *gatewayMetrics {
	set := shared.options.Metrics
	m := &gatewayMetrics{received: set.NewCounter("mirrorgate_requests_received_total")}
	for _, r := range codec.Rejects {
		m.rejected[r] = set.NewCounter(fmt.Sprintf("mirrorgate_requests_rejected_total{reason=%q}", r))
	}
	set.NewGauge("mirrorgate_payload_bytes", func() float64 { return float64(shared.memory.payloads.Load()) })
	set.NewGauge("mirrorgate_block_bytes", func() float64 { return float64(shared.memory.blocks.Load()) })
	set.NewGauge("mirrorgate_connection_bytes", func() float64 { return float64(shared.memory.connections.Load()) })
	set.NewGauge("mirrorgate_compare_bytes", func() float64 { return float64(shared.memory.responses.Load() + shared.memory.waiting.Load()) })
	set.NewGauge("mirrorgate_steer_ratio", func() float64 {
		if shared.options.Steer == nil {
			return 1
		}
		return float64(shared.options.Steer.Load()) / SteerAll
	})
	set.NewGauge("mirrorgate_memory_limit_bytes", func() float64 { return float64(shared.memory.limit.Load()) })
	return m
}

// registry has the counters of every group and target that there ever was: a
// name that comes back goes on counting where it stopped, so that the sums hold.
// It is not safe for concurrent use.
type registry struct {
	set      *metrics.Set
	groups   map[string]*groupMetrics
	targets  map[string]*targetMetrics
	compared map[comparedNames]*comparisonMetrics
}

func newRegistry(set *metrics.Set) registry {
	return registry{set, make(map[string]*groupMetrics), make(map[string]*targetMetrics), make(map[comparedNames]*comparisonMetrics)}
}

func (r *registry) group(name string) *groupMetrics {
	m := r.groups[name]
	if m == nil {
		m = newGroupMetrics(r.set, name)
		r.groups[name] = m
	}
	return m
}

func (r *registry) target(name, group string) *targetMetrics {
	m := r.targets[name]
	if m == nil {
		m = newTargetMetrics(r.set, name, group)
		r.targets[name] = m
		g := r.group(group)
		g.targets = append(g.targets, m)
	}
	return m
}

func (r *registry) comparison(names comparedNames) *comparisonMetrics {
	m := r.compared[names]
	if m == nil {
		m = newComparisonMetrics(r.set, names)
		r.compared[names] = m
	}
	return m
}

type groupMetrics struct {
	accepted   *metrics.Counter
	sampledOut *metrics.Counter
	filtered   [filterReasons]*metrics.Counter // but filterNone
	targets    []*targetMetrics                // that it has or had

	sample    atomic.Uint64 // bits of a float64, 0 to 1
	effective atomic.Uint64 // likewise
	recent    recent
}

func newGroupMetrics(set *metrics.Set, name string) *groupMetrics {
	m := &groupMetrics{
		accepted:   set.NewCounter(fmt.Sprintf("mirrorgate_group_accepted_total{group=%q}", name)),
		sampledOut: set.NewCounter(fmt.Sprintf("mirrorgate_group_sampled_out_total{group=%q}", name)),
	}
	for reason := filterNone + 1; reason < filterReasons; reason++ {
		m.filtered[reason] = set.NewCounter(fmt.Sprintf("mirrorgate_group_filtered_total{group=%q,reason=%q}", name, filterNames[reason]))
	}
	gauge := func(metric string, bits *atomic.Uint64) {
		set.NewGauge(fmt.Sprintf("mirrorgate_group_%s{group=%q}", metric, name), func() float64 { return math.Float64frombits(bits.Load()) })
	}
	gauge("sample_ratio", &m.sample)
	gauge("effective_sample_ratio", &m.effective)
	return m
}

// recent remembers how many requests wanted to be sampled, and how many of them
// were kept, tick by tick.
type recent struct {
	asked, kept [10]uint64
	at          int
}

// observe follows the effective sample: the share of the last second's requests
// that the group took and did not drop.
func (m *groupMetrics) observe() {
	asked, kept := m.sampledOut.Get(), uint64(0)
	for _, t := range m.targets {
		selected := t.selected.Get()
		asked += selected
		kept += selected - min(selected, t.droppedTotal())
	}
	r := &m.recent
	effective := math.Float64frombits(m.sample.Load())
	if n := asked - r.asked[r.at]; n > 0 {
		effective = min(1, float64(kept-min(kept, r.kept[r.at]))/float64(n))
	}
	m.effective.Store(math.Float64bits(effective))
	r.asked[r.at], r.kept[r.at] = asked, kept
	r.at = (r.at + 1) % len(r.asked)
}

type targetMetrics struct {
	group      string // where it counts as selected
	selected   *metrics.Counter
	dropped    [dropReasons]*metrics.Counter
	sent       *metrics.Counter
	responses  [codeClasses]*metrics.Counter
	errors     [errorKinds]*metrics.Counter
	opened     *metrics.Counter
	duration   *metrics.PrometheusHistogram
	batchSize  *metrics.PrometheusHistogram
	production *productionMetrics

	mu   sync.Mutex
	live []*target // of that name: the one in the plan is the last one, others leave
}

func newTargetMetrics(set *metrics.Set, name, group string) *targetMetrics {
	counter := func(metric string) *metrics.Counter {
		return set.NewCounter(fmt.Sprintf("mirrorgate_target_%s_total{target=%q}", metric, name))
	}
	labelled := func(metric, label string, value any) *metrics.Counter {
		return set.NewCounter(fmt.Sprintf("mirrorgate_target_%s_total{target=%q,%s=%q}", metric, name, label, value))
	}
	m := &targetMetrics{
		group:    group,
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
		m.responses[i] = labelled("responses", "code", className(i))
	}
	for k := range errorKinds {
		m.errors[k] = labelled("errors", "kind", k)
	}
	m.production = newProductionMetrics(set, name)
	gauge := func(metric string, f func() float64) {
		set.NewGauge(fmt.Sprintf("mirrorgate_target_%s{target=%q}", metric, name), f)
	}
	gauge("queue_length", func() float64 { return m.sum(func(t *target) int64 { return t.length.Load() }) })
	gauge("inflight", m.inFlight)
	gauge("connections", func() float64 { return m.sum(func(t *target) int64 { return int64(t.client.ConnsCount()) }) })
	gauge("breaker_open", func() float64 {
		return m.newest(func(t *target) int64 {
			if t.breaker.open() {
				return 1
			}
			return 0
		})
	})
	gauge("batch_limit", func() float64 { return m.newest(func(t *target) int64 { return t.batchLimit.Load() }) })
	return m
}

func (m *targetMetrics) attach(t *target) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.live = append(m.live, t)
}

func (m *targetMetrics) detach(t *target) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.live = slices.DeleteFunc(m.live, func(u *target) bool { return u == t })
}

// sum is a gauge over all targets of that name.
func (m *targetMetrics) sum(of func(*target) int64) float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := int64(0)
	for _, t := range m.live {
		n += of(t)
	}
	return float64(n)
}

// inFlight is how many of the selected requests are neither counted nor queued.
// Those that end are read first, and those that begin last, so that it is never
// negative.
func (m *targetMetrics) inFlight() float64 {
	ended := m.sent.Get() + m.droppedTotal()
	queued := m.sum(func(t *target) int64 { return t.length.Load() })
	return float64(m.selected.Get()-ended) - queued
}

// newest is a gauge of the target that the name stands for, 0 without one.
func (m *targetMetrics) newest(of func(*target) int64) float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.live) == 0 {
		return 0
	}
	return float64(of(m.live[len(m.live)-1]))
}

func (m *targetMetrics) droppedTotal() (n uint64) {
	for _, c := range m.dropped[dropNone+1:] {
		n += c.Get()
	}
	return n
}

func (m *targetMetrics) countDropped(dropped *[dropReasons]int) {
	for reason, n := range dropped {
		if n > 0 {
			m.dropped[reason].Add(n)
		}
	}
}

// refused is how many requests were dropped because the target does not take
// them now. What got stale is not among them: it was taken, in the past.
func (m *targetMetrics) refused() (n uint64) {
	for _, r := range []dropReason{dropPaused, dropBreaker, dropRate, dropMemory, dropQueueFull, dropDial, dropTLS} {
		n += m.dropped[r].Get()
	}
	return n
}
