package admin

import (
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/readings"
	"github.com/mirrorgate/mirrorgate/engine"
	"github.com/mirrorgate/mirrorgate/fanout"
)

// Stats are the figures of one moment, as GET /api/stats gives them. Counts are
// since the start; rates, for each second, and quantiles are over the last
// Window seconds. Sizes are in bytes, times in seconds.
type Stats struct {
	Time        time.Time          `json:"time"`
	Version     string             `json:"version"`
	Uptime      float64            `json:"uptime_seconds"`
	Ready       bool               `json:"ready"` // false while it drains
	Window      float64            `json:"window_seconds"`
	Received    Flow               `json:"received"`
	Rejected    map[string]int64   `json:"rejected"`
	RejectRate  map[string]float64 `json:"reject_rate"`
	Ignored     []IgnoredStats     `json:"ignored"` // messages that are not mirrored, by kind
	ACK         Latency            `json:"ack"`     // from reading a request to writing its ACK
	Memory      Memory             `json:"memory"`
	Connections int64              `json:"spop_connections"`
	Groups      []GroupStats       `json:"groups"`
	Notes       []Note             `json:"notes"`
}

// Flow is a counter and how fast it grows.
type Flow struct {
	Total int64   `json:"total"`
	Rate  float64 `json:"rate"`
}

// IgnoredStats are the figures of messages of a kind that carry neither arg_method nor
// arg_path.
type IgnoredStats struct {
	Message   string   `json:"message"`
	Arguments []string `json:"arguments"`
	Total     uint64   `json:"total"`
	Recent    bool     `json:"recent"` // one came within the window
}

// Latency are quantiles; nil if there was nothing in the window.
type Latency struct {
	P50 *float64 `json:"p50_seconds"`
	P99 *float64 `json:"p99_seconds"`
}

// Memory is what the process takes, and what it holds of requests.
type Memory struct {
	Resident int64 `json:"resident_bytes"`
	Payload  int64 `json:"payload_bytes"`
	Limit    int64 `json:"payload_limit_bytes"`
}

// GroupStats are the figures of a group.
type GroupStats struct {
	Name        string           `json:"name"`
	Sample      float64          `json:"sample"`           // share that it takes, 0 to 1
	Effective   float64          `json:"effective_sample"` // share that was taken and not dropped
	SampleUntil *time.Time       `json:"sample_until,omitempty"`
	SampledOut  int64            `json:"sampled_out"`
	Filtered    map[string]int64 `json:"filtered"`
	Targets     []TargetStats    `json:"targets"`
}

// TargetStats are the figures of a target.
type TargetStats struct {
	Name         string             `json:"name"`
	URL          string             `json:"url"` // without a password
	Weight       int                `json:"weight"`
	RateLimit    float64            `json:"rate_limit"` // requests a second; 0: none
	Paused       bool               `json:"paused"`
	PausedUntil  *time.Time         `json:"paused_until,omitempty"`
	TunedUntil   *time.Time         `json:"tuned_until,omitempty"` // when the first of these reverts
	BreakerOpen  bool               `json:"breaker_open"`
	Single       bool               `json:"single"`                 // gets one request at a time, since it does not pipeline
	SingleUntil  *time.Time         `json:"single_until,omitempty"` // none: until the next reload
	LastFailure  *Failure           `json:"last_failure,omitempty"`
	Selected     Flow               `json:"selected"`
	Sent         Flow               `json:"sent"`
	Responses    map[string]int64   `json:"responses"`
	Errors       map[string]int64   `json:"errors"`
	Dropped      map[string]int64   `json:"dropped"`
	ResponseRate map[string]float64 `json:"response_rate"`
	ErrorRate    map[string]float64 `json:"error_rate"`
	DropRate     map[string]float64 `json:"drop_rate"`
	Against      string             `json:"against"` // another target's name, or production
	Noise        string             `json:"noise"`   // a second copy of it; empty: none
	Compared     map[string]int64   `json:"compared"`
	CompareRate  map[string]float64 `json:"compare_rate"`
	NoiseRate    map[string]float64 `json:"noise_rate"` // of what the two copies respond
	Latency      Latency            `json:"latency"`    // from sending to the answer
	Queue        int64              `json:"queue"`      // requests that wait
	QueueLimit   int64              `json:"queue_limit"`
	InFlight     int64              `json:"in_flight"`
	Connections  int64              `json:"connections"`
}

// Failure is how a target failed last. Kind is a reason of drops or a kind of
// errors; Since is when failures of it began, without a minute between two.
type Failure struct {
	Kind   string    `json:"kind"`
	Reason string    `json:"reason"`
	Since  time.Time `json:"since"`
	Last   time.Time `json:"last"`
}

// window is a moment, and what was counted up to it.
type window struct {
	now   readings.Reading
	grown readings.Growth
}

// windowFrom is the time from one reading to another.
func windowFrom(before, now readings.Reading) window { return window{now, now.Since(before)} }

// statsOver are the figures at the end of the window.
func statsOver(w window, groups []fanout.GroupState, compared []fanout.Compared, ignored []engine.IgnoredMessage) Stats {
	stats := Stats{
		Time:       w.now.At,
		Window:     w.grown.Seconds,
		Received:   w.flow("mirrorgate_requests_received_total"),
		Rejected:   w.now.Counts("reason", "mirrorgate_requests_rejected_total"),
		RejectRate: w.grown.Rates("reason", "mirrorgate_requests_rejected_total"),
		ACK:        w.latency("mirrorgate_spop_ack_seconds"),
		Memory: Memory{
			Resident: residentBytes(),
			Payload:  w.now.Count("mirrorgate_payload_bytes"),
			Limit:    w.now.Count("mirrorgate_memory_limit_bytes"),
		},
		Connections: w.now.Count("mirrorgate_spop_connections"),
		Groups:      []GroupStats{},
		Ignored:     []IgnoredStats{},
	}
	links := map[string]fanout.Compared{}
	for _, c := range compared {
		links[c.Target] = c
	}
	for _, g := range groups {
		stats.Groups = append(stats.Groups, groupOver(w, g, links))
	}
	for _, m := range ignored {
		recent := w.now.At.Sub(m.Last) <= windowTicks*tickEvery
		stats.Ignored = append(stats.Ignored, IgnoredStats{m.Name, m.Args, m.Count, recent})
	}
	return stats
}

func groupOver(w window, g fanout.GroupState, links map[string]fanout.Compared) GroupStats {
	group := readings.Group(g.Name)
	stats := GroupStats{
		Name:        g.Name,
		Sample:      g.Sample,
		Effective:   g.Effective,
		SampleUntil: earliest(g.SampleUntil),
		SampledOut:  w.now.Count("mirrorgate_group_sampled_out_total", group),
		Filtered:    w.now.Counts("reason", "mirrorgate_group_filtered_total", group),
	}
	for _, t := range g.Targets {
		stats.Targets = append(stats.Targets, targetOver(w, t, links[t.Name]))
	}
	return stats
}

func targetOver(w window, t fanout.TargetState, link fanout.Compared) TargetStats {
	target, against := readings.Target(t.Name), readings.Of("against", link.Against)
	return TargetStats{
		Name:         t.Name,
		URL:          t.URL,
		Weight:       t.Weight,
		RateLimit:    t.Rate,
		Paused:       t.Paused,
		PausedUntil:  earliest(t.PausedUntil),
		TunedUntil:   earliest(t.WeightUntil, t.RateUntil, t.PausedUntil),
		Single:       t.Single,
		SingleUntil:  earliest(t.SingleUntil),
		LastFailure:  failureOf(t.LastFailure),
		BreakerOpen:  w.now.Sum("mirrorgate_target_breaker_open", target) > 0,
		Selected:     w.flow("mirrorgate_target_selected_total", target),
		Sent:         w.flow("mirrorgate_target_sent_total", target),
		Responses:    w.now.Counts("code", "mirrorgate_target_responses_total", target),
		Errors:       w.now.Counts("kind", "mirrorgate_target_errors_total", target),
		Dropped:      w.now.Counts("reason", "mirrorgate_target_dropped_total", target),
		ResponseRate: w.grown.Rates("code", "mirrorgate_target_responses_total", target),
		ErrorRate:    w.grown.Rates("kind", "mirrorgate_target_errors_total", target),
		DropRate:     w.grown.Rates("reason", "mirrorgate_target_dropped_total", target),
		Against:      link.Against,
		Noise:        link.Noise,
		Compared:     w.now.Counts("result", "mirrorgate_compare_total", target, against),
		CompareRate:  w.grown.Rates("result", "mirrorgate_compare_total", target, against),
		NoiseRate:    w.grown.Rates("result", "mirrorgate_compare_noise_total", target),
		Latency:      w.latency("mirrorgate_target_duration_seconds", target),
		Queue:        w.now.Count("mirrorgate_target_queue_length", target),
		QueueLimit:   int64(t.Queue),
		InFlight:     w.now.Count("mirrorgate_target_inflight", target),
		Connections:  w.now.Count("mirrorgate_target_connections", target),
	}
}

func failureOf(f fanout.Failure) *Failure {
	if f.Kind == "" {
		return nil
	}
	return &Failure{f.Kind, f.Reason, f.Since, f.Last}
}

func (w window) flow(family string, labels ...readings.Label) Flow {
	return Flow{w.now.Count(family, labels...), w.grown.Rate(family, labels...)}
}

func (w window) latency(family string, labels ...readings.Label) Latency {
	return Latency{w.quantile(0.5, family, labels), w.quantile(0.99, family, labels)}
}

// quantile is nil where there is none: JSON has no NaN.
func (w window) quantile(q float64, family string, labels []readings.Label) *float64 {
	v := w.grown.Quantile(q, family, labels...)
	if math.IsNaN(v) {
		return nil
	}
	return &v
}

// earliest returns the first of the times that are not zero, nil if all are.
func earliest(times ...time.Time) *time.Time {
	var first *time.Time
	for _, t := range times {
		if !t.IsZero() && (first == nil || t.Before(*first)) {
			first = &t
		}
	}
	return first
}

// residentBytes is the memory that the process has of the machine's; 0 where the
// system does not tell.
func residentBytes() int64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize())
}
