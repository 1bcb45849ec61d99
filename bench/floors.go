package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
)

// setting is a load under which mirrorgate stands beside both floors.
type setting struct {
	name  string
	batch int
	rate  float64 // requests a second; 0: closed loop
	// goal is about mirrorgate to the floor with goroutines, by the figure named.
	figure string
	goal   goal
}

var settings = []setting{
	{"1,000/s, batch 1", 1, 1_000, "CPU µs/delivery", goal{bound: 1}},
	{"5,000/s, batch 1", 1, 5_000, "CPU µs/delivery", goal{bound: 1}},
	{"40,000/s, batch 1", 1, 40_000, "CPU µs/delivery", goal{bound: 1}},
	{"200,000/s, batch 64", 64, 200_000, "CPU µs/delivery", goal{bound: 1.2}},
	{"saturated (closed loop), batch 64", 64, 0, "deliveries/s", goal{bound: 0.75, atLeast: true}},
}

// floorFigures are the rows of each setting.
var floorFigures = []struct {
	name string
	of   func(Report) float64
}{
	{"CPU µs/delivery", cpuPerDelivery},
	{"deliveries/s", deliveryRate},
	{"ACK p50 µs", ackP50},
	{"ACK p99 µs", ackP99},
}

// floorRows measures mirrorgate, the floor with goroutines and the floor in turns
// under all settings. It has its head first.
func floorRows(ctx context.Context, run RunConfig, rounds int) ([][]string, error) {
	rows := [][]string{{"load", "median", "mirrorgate", "floor with goroutines", "floor", "÷ floor with goroutines", "÷ floor", "asked of the first", "met"}}
	for _, s := range settings {
		run.Batch, run.Load.Rate = s.batch, s.rate
		var runs []RunConfig
		for _, command := range []string{DefaultCommand, GoroutineFloorCommand, FloorCommand} {
			run.Command = command
			runs = append(runs, run)
		}
		reports, err := inTurns(ctx, rounds, runs...)
		switch {
		case errors.Is(err, errRate):
			rows = append(rows, []string{s.name, err.Error(), "", "", "", "", "", s.goal.asked(), goal{value: math.NaN()}.verdict()})
		case err != nil:
			return nil, fmt.Errorf("cannot measure %s: %w", s.name, err)
		default:
			rows = append(rows, s.rows(reports)...)
		}
	}
	return rows, nil
}

// rows are of the reports of all three agents. The goal stands beside its figure.
func (s setting) rows(reports [][]Report) (rows [][]string) {
	for _, f := range floorFigures {
		row := []string{s.name, f.name}
		for _, r := range reports {
			row = append(row, number(medianOf(r, f.of)))
		}
		g := s.goal
		g.value = ratioOf(reports[0], reports[1], f.of)
		row = append(row, number(g.value), number(ratioOf(reports[0], reports[2], f.of)))
		if f.name == s.figure {
			row = append(row, g.asked(), g.verdict())
		} else {
			row = append(row, "", "")
		}
		rows = append(rows, row)
	}
	return rows
}
