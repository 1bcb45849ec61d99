package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// This file measures what mirrorgate promises about its speed, each promise as a
// ratio of agents, loads or settings that took turns in one run.

// goal is one figure that was promised.
type goal struct {
	what    string
	seen    string // all figures behind the value
	value   float64
	bound   float64
	atLeast bool // the bound is the least, else the most
}

func (g goal) met() bool {
	if g.atLeast {
		return g.value >= g.bound
	}
	return g.value <= g.bound
}

func (g goal) asked() string {
	if g.bound == 0 { // it was not even measured
		return ""
	}
	if g.atLeast {
		return "≥ " + number(g.bound)
	}
	return "≤ " + number(g.bound)
}

// verdict stands out if it is no.
func (g goal) verdict() string {
	if g.met() {
		return "yes"
	}
	return "**no**"
}

// measurements are what finds out about one or some goals each.
var measurements = []struct {
	name string
	find func(ctx context.Context, run RunConfig, rounds int) ([]goal, error)
}{
	{"a browser's request", findBrowser},
	{"a long cookie", findCookie},
	{"large bodies", findBodies},
	{"64 targets", findManyTargets},
	{"batches", findBatches},
	{"goodput beyond capacity", findGoodput},
	{"a dropped request", findDropped},
	{"further targets", findTargets},
	{"1000 connections", findConnections},
	{"ACKs in front of targets that hang", findHanging},
	{"objects allocated", findAllocated},
}

// findGoals goes through all measurements. A rate that is too high for this machine
// is a goal that is not met.
func findGoals(ctx context.Context, run RunConfig, rounds int) (all []goal, err error) {
	for _, m := range measurements {
		found, err := m.find(ctx, run, rounds)
		switch {
		case errors.Is(err, errRate):
			found = []goal{{what: m.name, seen: err.Error(), value: math.NaN()}}
		case err != nil:
			return nil, fmt.Errorf("cannot measure %s: %w", m.name, err)
		}
		all = append(all, found...)
	}
	return all, nil
}

func goalRows(all []goal) [][]string {
	rows := [][]string{{"figure", "measured", "ratio, or the first", "asked", "met"}}
	for _, g := range all {
		rows = append(rows, []string{g.what, g.seen, number(g.value), g.asked(), g.verdict()})
	}
	return rows
}

// inTurns measures all runs, round by round, and returns the reports of each. A
// round in which a rate was not reached is left out; if no round is left, that is
// the error.
func inTurns(ctx context.Context, rounds int, runs ...RunConfig) ([][]Report, error) {
	reports := make([][]Report, len(runs))
	var missed error
	for range rounds {
		round, err := oneRound(ctx, runs)
		if errors.Is(err, errRate) {
			missed = err
			continue
		}
		if err != nil {
			return nil, err
		}
		for i, r := range round {
			reports[i] = append(reports[i], r)
		}
	}
	if len(reports[0]) == 0 {
		return nil, missed
	}
	return reports, nil
}

func oneRound(ctx context.Context, runs []RunConfig) (round []Report, err error) {
	for _, run := range runs {
		r, err := Run(ctx, run)
		if err != nil {
			return nil, err
		}
		round = append(round, r)
	}
	return round, nil
}

func medianOf(reports []Report, of func(Report) float64) float64 {
	var values []float64
	for _, r := range reports {
		values = append(values, of(r))
	}
	return newSpread(values).Median
}

// ratioOf is the median of the ratios round by round, NaN if there is none, which
// meets no goal.
func ratioOf(as, bs []Report, of func(Report) float64) float64 {
	var ratios []float64
	for i := range as {
		if b := of(bs[i]); b != 0 {
			ratios = append(ratios, of(as[i])/b)
		}
	}
	if len(ratios) == 0 {
		return math.NaN()
	}
	return newSpread(ratios).Median
}

func cpuPerAcked(r Report) float64    { return r.CPUPerAcked }
func cpuPerDelivery(r Report) float64 { return r.CPUPerDelivery }
func ackP50(r Report) float64         { return r.AckLatency.P50 }
func ackP99(r Report) float64         { return r.AckLatency.P99 }
func deliveryRate(r Report) float64   { return r.DeliveryRate }

// compareTwo measures a and b in turns: a figure of each and the ratio.
func compareTwo(ctx context.Context, rounds int, a, b RunConfig, of func(Report) float64) (seen string, ratio float64, err error) {
	reports, err := inTurns(ctx, rounds, a, b)
	if err != nil {
		return "", 0, err
	}
	return pair(reports[0], reports[1], of), ratioOf(reports[0], reports[1], of), nil
}

func pair(as, bs []Report, of func(Report) float64) string {
	return number(medianOf(as, of)) + "; " + number(medianOf(bs, of))
}

func findBrowser(ctx context.Context, run RunConfig, rounds int) ([]goal, error) {
	run.Load.Rate = 40_000
	browser := run
	browser.Load.Headers, browser.Load.cookie = 14, 600
	seen, ratio, err := compareTwo(ctx, rounds, browser, run, cpuPerDelivery)
	return []goal{{
		what: "CPU µs for each delivered request at 40,000/s: 14 fields and a cookie of 600 bytes; a small GET",
		seen: seen, value: ratio, bound: 1.15,
	}}, err
}

func findCookie(ctx context.Context, run RunConfig, rounds int) ([]goal, error) {
	run.Batch, run.Load.Headers, run.Load.cookie = 64, 14, 600
	three := run
	three.Load.cookieFields = 3
	seen, ratio, err := compareTwo(ctx, rounds, run, three, cpuPerDelivery)
	return []goal{{
		what: "CPU µs for each delivered request, saturated, batch 64: the cookie in one field; in three",
		seen: seen, value: ratio, bound: 1.15,
	}}, err
}

func findBodies(ctx context.Context, run RunConfig, rounds int) ([]goal, error) {
	run.Load.Rate = 500
	small, large := run, run
	small.Load.Body, large.Load.Body = 64<<10, 256<<10
	perKB := func(r Report) float64 { return r.CPUPerDelivery / float64(r.Load.Body>>10) }
	seen, ratio, err := compareTwo(ctx, rounds, large, small, perKB)
	return []goal{{
		what: "CPU µs for each kB of body at 500/s: bodies of 256 kB; of 64 kB",
		seen: seen, value: ratio, bound: 0.7,
	}}, err
}

func findManyTargets(ctx context.Context, run RunConfig, rounds int) ([]goal, error) {
	run.Load.Rate = 2_000
	many := run
	many.Sink.Targets = 64
	reports, err := inTurns(ctx, rounds, many, run)
	if err != nil {
		return nil, err
	}
	return []goal{
		{
			what: "CPU µs for each delivered request at 2,000/s: 64 targets; 1 target",
			seen: pair(reports[0], reports[1], cpuPerDelivery), value: ratioOf(reports[0], reports[1], cpuPerDelivery), bound: 0.1,
		},
		{
			what: "p50 of ACKs in µs at 2,000/s: 64 targets; 1 target",
			seen: pair(reports[0], reports[1], ackP50), value: ratioOf(reports[0], reports[1], ackP50), bound: 1.3,
		},
	}, nil
}

// findBatches is about targets that take pipelined requests.
func findBatches(ctx context.Context, run RunConfig, rounds int) (found []goal, err error) {
	const recommended = 64
	for _, rate := range []float64{40_000, 200_000} {
		run.Load.Rate = rate
		batches := []int{1, 16, 32, recommended, 128}
		if rate > 100_000 {
			batches = batches[1:] // more than one connection for each request can carry
		}
		var runs []RunConfig
		for _, batch := range batches {
			run.Batch = batch
			runs = append(runs, run)
		}
		reports, err := inTurns(ctx, (rounds+1)/2, runs...)
		if err != nil {
			return nil, err
		}
		costs := make([]float64, len(batches))
		for i := range batches {
			costs[i] = medianOf(reports[i], cpuPerDelivery)
		}
		g := compareBatches(batches, recommended, costs)
		g.what = fmt.Sprintf("CPU µs for each delivered request at %.0f/s by batch; %d to the best", rate, recommended)
		found = append(found, g)
	}
	return found, nil
}

// compareBatches sets the recommended batch against the best.
func compareBatches(batches []int, recommended int, costs []float64) goal {
	var seen []string
	for i, batch := range batches {
		seen = append(seen, fmt.Sprintf("%d: %s", batch, number(costs[i])))
	}
	return goal{
		seen:  strings.Join(seen, ", "),
		value: costs[slices.Index(batches, recommended)] / slices.Min(costs), bound: 1.1,
	}
}

// findGoodput offers more and more to targets that cannot take it, since they
// need 10 ms for each request and connection.
func findGoodput(ctx context.Context, run RunConfig, _ int) ([]goal, error) {
	run.Sink.Mode, run.Sink.Delay, run.Batch = SinkDelay, 10*time.Millisecond, 16
	const capacity = 6400
	best, least := 0.0, math.Inf(1)
	var seen []string
	for _, offered := range []float64{5_000, 10_000, 20_000, 50_000, 100_000, 200_000} {
		run.Load.Rate = offered
		r, err := Run(ctx, run)
		if errors.Is(err, errRate) {
			break // the higher ones say nothing of the agent either
		}
		if err != nil {
			return nil, err
		}
		seen = append(seen, fmt.Sprintf("%.0f: %.0f", offered, r.DeliveryRate))
		best = max(best, r.DeliveryRate)
		if offered > capacity {
			least = min(least, r.DeliveryRate)
		}
	}
	return []goal{{
		what: fmt.Sprintf("delivered/s by offered rate, to a target that takes %d/s; the least beyond capacity to the best", capacity),
		seen: strings.Join(seen, ", "), value: least / best, bound: 0.7, atLeast: true,
	}}, nil
}

// ackOnly is mirrorgate with a target that gets nothing, so that it needs none.
func ackOnly(run RunConfig) RunConfig {
	run.Command = strings.NewReplacer("--admin=", "--admin= --sample=0", "{targets}", "127.0.0.1:9").Replace(run.Command)
	run.Sink.Targets = 0
	return run
}

// findDropped compares requests that find the queue full with those that nobody
// wants.
func findDropped(ctx context.Context, run RunConfig, rounds int) ([]goal, error) {
	run.Load.InFlight = 64
	dropped := run
	dropped.Sink.Mode = SinkHang
	reports, err := inTurns(ctx, (rounds+1)/2, dropped, ackOnly(run))
	if err != nil {
		return nil, err
	}
	return []goal{{
		what: "CPU µs for each request with its ACK, 64 frames in flight on each connection (closed loop): dropped, all but 8,000; sampled out",
		seen: pair(reports[0], reports[1], cpuPerAcked), value: medianOf(reports[0], cpuPerAcked), bound: 0.6,
	}}, nil
}

func findTargets(ctx context.Context, run RunConfig, rounds int) ([]goal, error) {
	run.Batch, run.Load.Rate = 32, 50_000
	four := run
	four.Sink.Targets = 4
	seen, ratio, err := compareTwo(ctx, (rounds+1)/2, four, run, cpuPerAcked)
	return []goal{{
		what: "CPU µs for each request at 50,000/s and batch 32: 4 targets; 1 target. Each further one to the first",
		seen: seen, value: (ratio - 1) / 3, bound: 0.7,
	}}, err
}

func findConnections(ctx context.Context, run RunConfig, rounds int) ([]goal, error) {
	run.Batch = 64
	many := run
	many.Load.Connections = 1000
	seen, ratio, err := compareTwo(ctx, (rounds+1)/2, many, run, deliveryRate)
	return []goal{{
		what: "delivered/s at batch 64, 16 frames in flight on each connection (closed loop): 1000 SPOP connections; 16",
		seen: seen, value: ratio, bound: 0.9, atLeast: true,
	}}, err
}

func findHanging(ctx context.Context, run RunConfig, rounds int) ([]goal, error) {
	run.Load.Rate = 20_000
	hanging := run
	hanging.Sink.Mode = SinkHang
	seen, ratio, err := compareTwo(ctx, (rounds+1)/2, hanging, ackOnly(run), ackP99)
	return []goal{{
		what: "p99 of ACKs in µs at 20,000/s: the target hangs; nothing is mirrored",
		seen: seen, value: ratio, bound: 1.2,
	}}, err
}
