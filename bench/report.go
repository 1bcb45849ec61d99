package bench

import (
	"fmt"
	"io"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// ReportKeys explains the keys of a report in JSON.
const ReportKeys = `agent: its command line or address. load: what was asked for. Of the whole run, warm-up included: ` +
	`sent NOTIFY frames, acked ACKs, delivered requests that the sinks counted, dropped (acked × targets − delivered, ` +
	`if above 0), duplicates (the other way round), reconciled (sent = acked and no duplicates), sink_connections opened. ` +
	`Of the measured window: window_seconds, ack_rate and delivery_rate a second, ack_latency_us (p50 p90 p99 p99_9 max, ` +
	`from when a frame was due), and of an agent that was started here cpu_seconds, cpu_us_per_acked, ` +
	`cpu_us_per_delivered, peak_rss_bytes.`

// Report has the figures of one run, see ReportKeys.
//
// Sent to SinkConns are of the whole run, warm-up included, after everything
// was delivered. The rest is of the measured window.
type Report struct {
	Agent string     `json:"agent"` // command line or address
	Load  LoadReport `json:"load"`

	Sent       uint64 `json:"sent"`       // NOTIFY frames
	Acked      uint64 `json:"acked"`      // ACKs, one for each of them
	Delivered  uint64 `json:"delivered"`  // requests that the sinks counted
	Dropped    uint64 `json:"dropped"`    // acked × targets − delivered, if above 0
	Duplicates uint64 `json:"duplicates"` // delivered − acked × targets, if above 0
	Reconciled bool   `json:"reconciled"` // sent = acked, and no duplicates
	SinkConns  uint64 `json:"sink_connections"`

	WindowSeconds float64       `json:"window_seconds"`
	AckRate       float64       `json:"ack_rate"`       // ACKs a second
	DeliveryRate  float64       `json:"delivery_rate"`  // requests a second, all sinks
	AckLatency    LatencyReport `json:"ack_latency_us"` // from when a frame was due

	// CPU and memory of the agent, absent if it is not ours.
	CPUSeconds     float64 `json:"cpu_seconds,omitempty"`
	CPUPerAcked    float64 `json:"cpu_us_per_acked,omitempty"`
	CPUPerDelivery float64 `json:"cpu_us_per_delivered,omitempty"`
	PeakRSS        uint64  `json:"peak_rss_bytes,omitempty"` // of the whole run

	latency *hdrhistogram.Histogram
	load    Load
	mode    SinkMode
}

// LoadReport says what was measured.
type LoadReport struct {
	Connections     int      `json:"connections"`
	InFlight        int      `json:"in_flight,omitempty"` // closed loop, on each connection
	Rate            float64  `json:"rate,omitempty"`      // open loop, requests a second
	Body            int      `json:"body_bytes"`
	Headers         int      `json:"headers"`
	Targets         int      `json:"targets"`
	Sink            SinkMode `json:"sink"`
	WarmupSeconds   float64  `json:"warmup_seconds"`
	DurationSeconds float64  `json:"duration_seconds"`
}

// LatencyReport is in microseconds.
type LatencyReport struct {
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p99_9"`
	Max  float64 `json:"max"`
}

func newReport(cfg RunConfig, a *agent, t Traffic, w *window, u usage, sinks sinks) Report {
	r := Report{
		Agent: a.name(), Load: newLoadReport(cfg),
		Sent: t.Sent, Acked: t.Acked, Delivered: sinks.requests(), SinkConns: sinks.conns(),
		WindowSeconds: w.duration().Seconds(),
		AckRate:       rate(w.acked(), w.duration()), DeliveryRate: rate(w.delivered(), w.duration()),
		AckLatency: newLatencyReport(t.Latency),
		CPUSeconds: w.cpu().Seconds(), PeakRSS: u.peakRSS,
		CPUPerAcked: share(w.cpu(), w.acked()), CPUPerDelivery: share(w.cpu(), w.delivered()),
		latency: t.Latency, load: cfg.Load, mode: cfg.Sink.Mode,
	}
	if want := r.Acked * uint64(cfg.Sink.Targets); r.Delivered > want {
		r.Duplicates = r.Delivered - want
	} else {
		r.Dropped = want - r.Delivered
	}
	r.Reconciled = r.Sent == r.Acked && r.Duplicates == 0
	return r
}

func newLoadReport(cfg RunConfig) LoadReport {
	l := LoadReport{
		Connections: cfg.Load.Connections, Rate: cfg.Load.Rate, Body: cfg.Load.Body, Headers: cfg.Load.Headers,
		Targets: cfg.Sink.Targets, Sink: cfg.Sink.Mode,
		WarmupSeconds: cfg.Load.Warmup.Seconds(), DurationSeconds: cfg.Load.Duration.Seconds(),
	}
	if l.Rate == 0 {
		l.InFlight = cfg.Load.InFlight
	}
	return l
}

func newLatencyReport(h *hdrhistogram.Histogram) LatencyReport {
	at := func(percentile float64) float64 { return micros(time.Duration(h.ValueAtPercentile(percentile))) }
	return LatencyReport{P50: at(50), P90: at(90), P99: at(99), P999: at(99.9), Max: at(100)}
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// rate is n a second, 0 if there was no time.
func rate(n uint64, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return float64(n) / d.Seconds()
}

// share is the part of d in microseconds that falls to each of n.
func share(d time.Duration, n uint64) float64 {
	if n == 0 {
		return 0
	}
	return micros(d) / float64(n)
}

// check says why the figures cannot be trusted, if they cannot. A sink that
// resets makes agents send again what it has counted already.
func (r Report) check() error {
	switch {
	case r.Sent != r.Acked:
		return fmt.Errorf("%d of %d frames were not acknowledged", r.Sent-r.Acked, r.Sent)
	case r.Duplicates > 0 && r.mode != SinkReset:
		return fmt.Errorf("the sinks counted %d requests more than were acknowledged", r.Duplicates)
	case r.Delivered == 0 && r.Acked > 0 && r.Load.Targets > 0:
		return fmt.Errorf("nothing was delivered of %d acknowledged requests, over %d connections: does the agent send to the sink? (0 targets measure ACKs only)", r.Acked, r.SinkConns)
	}
	return nil
}

// WriteJSON writes the report as one indented JSON object.
func (r Report) WriteJSON(w io.Writer) error { return writeJSON(w, r) }

// WriteText writes the report for people.
func (r Report) WriteText(w io.Writer) error {
	us := func(v float64) time.Duration { return roundTime(time.Duration(v * float64(time.Microsecond))) }
	l := r.AckLatency
	text := fmt.Sprintf(`agent      %s
load       %s
sink       %s × %d, %d connections opened
sent       %d, acknowledged %d
delivered  %d, dropped %d, duplicates %d, reconciled: %t
rate       %.0f ACKs/s, %.0f deliveries/s
ACK        p50 %s  p90 %s  p99 %s  p99.9 %s  max %s
`, r.Agent, r.load, r.Load.Sink, r.Load.Targets, r.SinkConns, r.Sent, r.Acked,
		r.Delivered, r.Dropped, r.Duplicates, r.Reconciled, r.AckRate, r.DeliveryRate,
		us(l.P50), us(l.P90), us(l.P99), us(l.P999), us(l.Max))
	if r.PeakRSS > 0 {
		text += fmt.Sprintf("CPU        %.2f s, %.2f µs for each ACK", r.CPUSeconds, r.CPUPerAcked)
		if r.CPUPerDelivery > 0 {
			text += fmt.Sprintf(", %.2f µs for each delivered request", r.CPUPerDelivery)
		}
		text += fmt.Sprintf("\nmemory     %.1f MiB at the peak\n", float64(r.PeakRSS)/(1<<20))
	}
	_, err := io.WriteString(w, text+"\n"+bars(r.latency))
	return err
}
