package admin

import (
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/mirrorgate/mirrorgate/fanout"
)

// Stats are the figures of one moment, as GET /api/stats gives them. Counts are
// since the start; rates, for each second, and quantiles are over the last
// Window seconds. Sizes are in bytes, times in seconds.
type Stats struct {
	Time        time.Time        `json:"time"`
	Version     string           `json:"version"`
	Uptime      float64          `json:"uptime_seconds"`
	Ready       bool             `json:"ready"` // false while it drains
	Window      float64          `json:"window_seconds"`
	Received    Flow             `json:"received"`
	Rejected    map[string]int64 `json:"rejected"`
	ACK         Latency          `json:"ack"` // from reading a request to writing its ACK
	Memory      Memory           `json:"memory"`
	Connections int64            `json:"spop_connections"`
	Groups      []GroupStats     `json:"groups"`
	Notes       []Note           `json:"notes"`
}

// Flow is a counter and how fast it grows.
type Flow struct {
	Total int64   `json:"total"`
	Rate  float64 `json:"rate"`
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
	Weight       int                `json:"weight"`
	RateLimit    float64            `json:"rate_limit"` // requests a second; 0: none
	Paused       bool               `json:"paused"`
	TunedUntil   *time.Time         `json:"tuned_until,omitempty"` // when the first of these reverts
	BreakerOpen  bool               `json:"breaker_open"`
	Selected     Flow               `json:"selected"`
	Sent         Flow               `json:"sent"`
	Responses    map[string]int64   `json:"responses"`
	Errors       map[string]int64   `json:"errors"`
	Dropped      map[string]int64   `json:"dropped"`
	ResponseRate map[string]float64 `json:"response_rate"`
	ErrorRate    map[string]float64 `json:"error_rate"`
	DropRate     map[string]float64 `json:"drop_rate"`
	Compared     map[string]int64   `json:"compared"` // answers, with production's
	CompareRate  map[string]float64 `json:"compare_rate"`
	Latency      Latency            `json:"latency"` // from sending to the answer
	Queue        int64              `json:"queue"`   // requests that wait
	QueueLimit   int64              `json:"queue_limit"`
	InFlight     int64              `json:"in_flight"`
	Connections  int64              `json:"connections"`
}

// statsOver are the figures at the end of the span.
func statsOver(s span, groups []fanout.GroupState) Stats {
	stats := Stats{
		Time:     s.to.at,
		Window:   s.seconds(),
		Received: s.flow("mirrorgate_requests_received_total", ""),
		Rejected: s.to.counts("mirrorgate_requests_rejected_total", ""),
		ACK:      s.latency("mirrorgate_spop_ack_seconds", ""),
		Memory: Memory{
			Resident: residentBytes(),
			Payload:  s.to.count("mirrorgate_payload_bytes", ""),
			Limit:    s.to.count("mirrorgate_memory_limit_bytes", ""),
		},
		Connections: s.to.count("mirrorgate_spop_connections", ""),
		Groups:      []GroupStats{},
	}
	for _, g := range groups {
		stats.Groups = append(stats.Groups, groupOver(s, g))
	}
	return stats
}

func groupOver(s span, g fanout.GroupState) GroupStats {
	stats := GroupStats{
		Name:        g.Name,
		Sample:      g.Sample,
		Effective:   g.Effective,
		SampleUntil: earliest(g.SampleUntil),
		SampledOut:  s.to.count("mirrorgate_group_sampled_out_total", g.Name),
		Filtered:    s.to.counts("mirrorgate_group_filtered_total", g.Name),
	}
	for _, t := range g.Targets {
		stats.Targets = append(stats.Targets, targetOver(s, t))
	}
	return stats
}

func targetOver(s span, t fanout.TargetState) TargetStats {
	return TargetStats{
		Name:         t.Name,
		Weight:       t.Weight,
		RateLimit:    t.Rate,
		Paused:       t.Paused,
		TunedUntil:   earliest(t.WeightUntil, t.RateUntil, t.PausedUntil),
		BreakerOpen:  s.to.sum("mirrorgate_target_breaker_open", t.Name) > 0,
		Selected:     s.flow("mirrorgate_target_selected_total", t.Name),
		Sent:         s.flow("mirrorgate_target_sent_total", t.Name),
		Responses:    s.to.counts("mirrorgate_target_responses_total", t.Name),
		Errors:       s.to.counts("mirrorgate_target_errors_total", t.Name),
		Dropped:      s.to.counts("mirrorgate_target_dropped_total", t.Name),
		ResponseRate: s.rates("mirrorgate_target_responses_total", t.Name),
		ErrorRate:    s.rates("mirrorgate_target_errors_total", t.Name),
		DropRate:     s.rates("mirrorgate_target_dropped_total", t.Name),
		Compared:     s.to.counts("mirrorgate_compare_total", t.Name),
		CompareRate:  s.rates("mirrorgate_compare_total", t.Name),
		Latency:      s.latency("mirrorgate_target_duration_seconds", t.Name),
		Queue:        s.to.count("mirrorgate_target_queue_length", t.Name),
		QueueLimit:   int64(t.Queue),
		InFlight:     s.to.count("mirrorgate_target_inflight", t.Name),
		Connections:  s.to.count("mirrorgate_target_connections", t.Name),
	}
}

func (s span) flow(family, whose string) Flow {
	return Flow{s.to.count(family, whose), s.rate(family, whose)}
}

func (s span) latency(family, whose string) Latency {
	return Latency{s.known(0.5, family, whose), s.known(0.99, family, whose)}
}

// known is a quantile that JSON can say.
func (s span) known(q float64, family, whose string) *float64 {
	v := s.quantile(q, family, whose)
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
