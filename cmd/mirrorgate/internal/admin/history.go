package admin

import (
	"maps"
	"math"
	"strconv"
	"sync"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/readings"
	"github.com/mirrorgate/mirrorgate/fanout"
)

const (
	// tickEvery is the distance of two points of a chart.
	tickEvery = time.Second
	// historyTicks is how many points are kept: five minutes.
	historyTicks = 300
	// windowTicks is over how many ticks rates and quantiles are taken where they
	// should be steady.
	windowTicks = 5
)

// history takes a reading every second and keeps what charts show of the last
// five minutes, so that a page that is opened now shows what was before. A
// point takes 4 bytes, a target about 30 kB.
type history struct {
	set    *metrics.Set
	fanout *fanout.Fanout
	start  time.Time

	mu     sync.Mutex
	recent []readings.Reading // the last windowTicks+1 at most, oldest first
	totals []comparedTotals   // of the same moments
	tick   int64              // the number of the last point, from 1
	lines  map[string]*line
}

// line is a ring of points by tick; NaN where there was nothing to show.
type line struct {
	points [historyTicks]float32
	last   int64 // tick of the last point
}

func newHistory(set *metrics.Set, f *fanout.Fanout) *history {
	return &history{
		set: set, fanout: f, start: time.Now(),
		recent: []readings.Reading{readings.Read(set)}, totals: []comparedTotals{totalsOf(f)}, lines: map[string]*line{},
	}
}

// run adds points until stop is closed.
func (h *history) run(stop <-chan struct{}) {
	ticker := time.NewTicker(tickEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			h.take()
		case <-stop:
			return
		}
	}
}

// window is the time up to now over which steady figures are taken.
func (h *history) window() window {
	now := readings.Read(h.set)
	h.mu.Lock()
	defer h.mu.Unlock()
	return windowFrom(h.recent[0], now)
}

// take adds one point to each line.
func (h *history) take() {
	now := readings.Read(h.set)
	groups, totals := h.fanout.Groups(), totalsOf(h.fanout)
	h.mu.Lock()
	defer h.mu.Unlock()
	points := pointsOver(now, now.Since(h.recent[len(h.recent)-1]), now.Since(h.recent[0]), groups)
	totals.addPoints(points, h.totals[0])
	h.recent, h.totals = append(h.recent, now), append(h.totals, totals)
	oldest := max(0, len(h.recent)-windowTicks-1)
	h.recent, h.totals = h.recent[oldest:], h.totals[oldest:]
	h.add(points)
}

// pointsOver are the points of one tick by the names of their lines: rates are
// over the last second, quantiles over the window.
func pointsOver(now readings.Reading, second, window readings.Growth, groups []fanout.GroupState) map[string]float64 {
	points := map[string]float64{
		"received": second.Rate("mirrorgate_requests_received_total"),
		"rejected": second.Rate("mirrorgate_requests_rejected_total"),
		"ack_p50":  window.Quantile(0.5, "mirrorgate_spop_ack_seconds"),
		"ack_p99":  window.Quantile(0.99, "mirrorgate_spop_ack_seconds"),
		"resident": float64(residentBytes()),
		"payload":  now.Sum("mirrorgate_payload_bytes"),
	}
	for _, g := range groups {
		points["group/"+g.Name+"/sample"] = g.Sample
		points["group/"+g.Name+"/effective"] = g.Effective
		for _, t := range g.Targets {
			line, target := "target/"+t.Name+"/", readings.Target(t.Name)
			points[line+"p50"] = window.Quantile(0.5, "mirrorgate_target_duration_seconds", target)
			points[line+"p99"] = window.Quantile(0.99, "mirrorgate_target_duration_seconds", target)
			points[line+"queue"] = now.Sum("mirrorgate_target_queue_length", target)
			points[line+"breaker"] = now.Sum("mirrorgate_target_breaker_open", target)
			addRates(points, line+"answers/", second.Rates("code", "mirrorgate_target_responses_total", target))
			addRates(points, line+"errors/", second.Rates("kind", "mirrorgate_target_errors_total", target))
			addRates(points, line+"drops/", second.Rates("reason", "mirrorgate_target_dropped_total", target))
		}
	}
	return points
}

func addRates(points map[string]float64, prefix string, rates map[string]float64) {
	for label, rate := range rates {
		points[prefix+label] = rate
	}
}

// add puts the points of the next tick at the end of their lines, and forgets
// lines that have no point any more. h.mu is held.
func (h *history) add(points map[string]float64) {
	h.tick++
	for name, v := range points {
		l := h.lines[name]
		if l == nil {
			l = new(line)
			for i := range l.points {
				l.points[i] = float32(math.NaN())
			}
			h.lines[name] = l
		}
		l.points[h.tick%historyTicks] = float32(v)
		l.last = h.tick
	}
	maps.DeleteFunc(h.lines, func(_ string, l *line) bool { return h.tick-l.last >= historyTicks })
	for _, l := range h.lines {
		if l.last < h.tick {
			l.points[h.tick%historyTicks] = float32(math.NaN())
		}
	}
}

// History is a part of the last five minutes, as GET /api/history gives it: one
// point for each second from tick From to tick Tick.
type History struct {
	Start time.Time         `json:"start"` // ticks count from here; another one: mirrorgate was started anew
	From  int64             `json:"from"`
	Tick  int64             `json:"tick"`
	Lines map[string]points `json:"lines"` // those that are 0 all the time are left out
}

// points are null in JSON where there is nothing to show.
type points []float32

// MarshalJSON writes four digits of each point: a chart shows no more.
func (p points) MarshalJSON() ([]byte, error) {
	b := []byte{'['}
	for i, v := range p {
		if i > 0 {
			b = append(b, ',')
		}
		if math.IsNaN(float64(v)) {
			b = append(b, "null"...)
		} else {
			b = strconv.AppendFloat(b, float64(v), 'g', 4, 32)
		}
	}
	return append(b, ']'), nil
}

// since returns the points behind tick after, as far as they are kept.
func (h *history) since(after int64) History {
	h.mu.Lock()
	defer h.mu.Unlock()
	if after > h.tick {
		after = 0
	}
	from := max(after+1, h.tick-historyTicks+1, 1)
	part := History{Start: h.start, From: from, Tick: h.tick, Lines: map[string]points{}}
	for name, l := range h.lines {
		var p points
		flat := true
		for tick := from; tick <= h.tick; tick++ {
			v := l.points[tick%historyTicks]
			p = append(p, v)
			flat = flat && v == 0
		}
		if !flat {
			part.Lines[name] = p
		}
	}
	return part
}
