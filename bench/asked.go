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
// ratio of two agents, loads or settings that took turns in one run.

// finding is one figure that was asked for.
type finding struct{ what, seen, asked string }

// question measures one thing that was asked.
type question struct {
	name string
	find func(ctx context.Context, run RunConfig) ([]finding, error)
}

var questions = []question{
	{"batches", findBatches},
	{"goodput beyond capacity", findGoodput},
	{"a dropped request", findDropped},
	{"further targets", findTargets},
	{"1000 connections", findConnections},
	{"ACKs in front of targets that hang", findHanging},
	{"objects allocated", findAllocated},
}

const (
	askedRounds   = 2 // turns of what is compared
	askedDuration = 2 * time.Second
)

// ask goes through all questions.
func ask(ctx context.Context, run RunConfig) ([]finding, error) {
	run.Load.Warmup, run.Load.Duration = 500*time.Millisecond, askedDuration
	var all []finding
	for _, q := range questions {
		found, err := q.find(ctx, run)
		if err != nil {
			return nil, fmt.Errorf("cannot measure %s: %w", q.name, err)
		}
		all = append(all, found...)
	}
	return all, nil
}

func findingRows(all []finding) [][]string {
	rows := [][]string{{"figure", "measured", "asked"}}
	for _, f := range all {
		rows = append(rows, []string{f.what, f.seen, f.asked})
	}
	return rows
}

// takeTurns runs a and b in turns and returns a figure of both and its ratio, a
// to b, round by round.
func takeTurns(ctx context.Context, a, b RunConfig, of func(Report) float64) (as, bs, ratios Spread, err error) {
	var inA, inB, all []float64
	for range askedRounds {
		x, err := Run(ctx, a)
		if err != nil {
			return as, bs, ratios, err
		}
		y, err := Run(ctx, b)
		if err != nil {
			return as, bs, ratios, err
		}
		if of(y) == 0 {
			return as, bs, ratios, errors.New("nothing to compare with: the figure is 0")
		}
		inA, inB, all = append(inA, of(x)), append(inB, of(y)), append(all, of(x)/of(y))
	}
	return newSpread(inA), newSpread(inB), newSpread(all), nil
}

func cpuPerAcked(r Report) float64 { return r.CPUPerAcked }

// ackOnly is mirrorgate with a target that gets nothing, so that it needs none.
func ackOnly(run RunConfig) RunConfig {
	run.Command = strings.NewReplacer("--admin=", "--admin= --sample=0", "{targets}", "127.0.0.1:9").Replace(run.Command)
	run.Sink.Targets = 0
	return run
}

// findBatches goes through the batches in turns, more often than others take
// turns, for what is compared is a few percent.
func findBatches(ctx context.Context, run RunConfig) (found []finding, err error) {
	const standard = 64 // of targets that take it
	for _, rate := range []float64{40_000, 200_000} {
		run.Load.Rate = rate
		batches := []int{1, 8, 16, 32, 64, 128}
		if rate > 100_000 {
			batches = batches[1:] // more than one connection for each request can carry
		}
		costs := make([][]float64, len(batches))
		for range 2 * askedRounds {
			for i, batch := range batches {
				run.Batch = batch
				r, err := Run(ctx, run)
				if err != nil {
					return nil, err
				}
				costs[i] = append(costs[i], r.CPUPerDelivery)
			}
		}
		found = append(found, finding{
			fmt.Sprintf("CPU µs for each delivered request at %.0f/s by batch; 64 against the best", rate),
			compareBatches(batches, standard, costs),
			"≤ 1.10",
		})
	}
	return found, nil
}

// compareBatches shows the medians, and that of the standard against the best.
func compareBatches(batches []int, standard int, costs [][]float64) string {
	best, at := 0, slices.Index(batches, standard)
	var seen []string
	medians := make([]float64, len(batches))
	for i, batch := range batches {
		medians[i] = newSpread(costs[i]).Median
		seen = append(seen, fmt.Sprintf("%d: %s", batch, number(medians[i])))
		if medians[i] < medians[best] {
			best = i
		}
	}
	return fmt.Sprintf("%s; %d ÷ %d: %s", strings.Join(seen, ", "), standard, batches[best], number(medians[at]/medians[best]))
}

// findGoodput offers more and more to targets that cannot take it, since they
// need 10 ms for each request and connection.
func findGoodput(ctx context.Context, run RunConfig) ([]finding, error) {
	run.Sink.Mode, run.Sink.Delay, run.Batch = SinkDelay, 10*time.Millisecond, 16
	const capacity = 6400
	best, least := 0.0, math.Inf(1)
	var seen []string
	for _, offered := range []float64{5_000, 10_000, 20_000, 50_000, 100_000, 200_000} {
		run.Load.Rate = offered
		r, err := Run(ctx, run)
		if err != nil {
			return nil, err
		}
		seen = append(seen, fmt.Sprintf("%.0f: %.0f", offered, r.DeliveryRate))
		best = max(best, r.DeliveryRate)
		if offered > capacity {
			least = min(least, r.DeliveryRate)
		}
	}
	return []finding{{
		fmt.Sprintf("delivered/s by offered rate, to a target that takes %d/s; the least beyond capacity against the best", capacity),
		fmt.Sprintf("%s; %s", strings.Join(seen, ", "), number(least/best)),
		"≥ 0.70",
	}}, nil
}

// findDropped compares requests that find the queue full with those that nobody
// wants.
func findDropped(ctx context.Context, run RunConfig) ([]finding, error) {
	run.Load.InFlight = 64
	dropped := run
	dropped.Sink.Mode = SinkHang
	a, b, ratio, err := takeTurns(ctx, dropped, ackOnly(run), cpuPerAcked)
	return []finding{{
		"CPU µs for each request with its ACK, 64 frames in flight on each connection (closed loop): dropped, all but 8,000; sampled out; ratio",
		fmt.Sprintf("%s; %s; %s", number(a.Median), number(b.Median), number(ratio.Median)), "≤ 0.6 µs dropped",
	}}, err
}

func findTargets(ctx context.Context, run RunConfig) ([]finding, error) {
	run.Batch, run.Load.Rate = 32, 50_000
	four := run
	four.Sink.Targets = 4
	a, b, ratio, err := takeTurns(ctx, four, run, cpuPerAcked)
	return []finding{{
		"CPU µs for each request at 50,000/s and batch 32: 4 targets; 1 target; each further one against the first",
		fmt.Sprintf("%s; %s; %s", number(a.Median), number(b.Median), number((ratio.Median-1)/3)), "≤ 0.70",
	}}, err
}

func findConnections(ctx context.Context, run RunConfig) ([]finding, error) {
	many := run
	many.Load.Connections = 1000
	a, b, ratio, err := takeTurns(ctx, many, run, func(r Report) float64 { return r.DeliveryRate })
	return []finding{{
		"delivered/s, 16 frames in flight on each connection (closed loop): 1000 SPOP connections; 16; ratio",
		fmt.Sprintf("%s; %s; %s", number(a.Median), number(b.Median), number(ratio.Median)), "≥ 0.90",
	}}, err
}

func findHanging(ctx context.Context, run RunConfig) ([]finding, error) {
	run.Load.Rate = 20_000
	hanging := run
	hanging.Sink.Mode = SinkHang
	a, b, ratio, err := takeTurns(ctx, hanging, ackOnly(run), func(r Report) float64 { return r.AckLatency.P99 })
	return []finding{{
		"p99 of ACKs in µs at 20,000/s: the target hangs; nothing is mirrored; ratio",
		fmt.Sprintf("%s; %s; %s", number(a.Median), number(b.Median), ratio.String()), "≤ 1.20",
	}}, err
}
