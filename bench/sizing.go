package bench

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// This file measures what a host needs at its own rate: a request costs less at a
// higher one, for there is less waking up.

// sizingRates are in requests a second, ascending.
var sizingRates = []float64{100, 1_000, 2_000, 10_000, 40_000}

// sizingDuration is the least, for CPU time is counted in hundredths of a second.
const sizingDuration = 4 * time.Second

// costAt is what a rate costs.
type costAt struct {
	rate float64 // requests a second
	cpu  float64 // µs for each request
}

// sizing measures the defaults at all rates that this machine reaches.
func sizing(ctx context.Context, run RunConfig, rounds int) (costs []costAt, err error) {
	run.Load.Duration = max(run.Load.Duration, sizingDuration)
	for _, rate := range sizingRates {
		run.Load.Rate = rate
		reports, err := inTurns(ctx, rounds, run)
		if errors.Is(err, errRate) && len(costs) > 1 {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("cannot measure the cost at a rate: %w", err)
		}
		costs = append(costs, costAt{rate, medianOf(reports[0], cpuPerAcked)})
	}
	return costs, nil
}

// line is a + b × requests/s, in µs of CPU time a second and for each request, that
// no rate is above: b is what the step to the highest rate costs.
func line(costs []costAt) (a, b float64) {
	last, before := costs[len(costs)-1], costs[len(costs)-2]
	b = (last.cpu*last.rate - before.cpu*before.rate) / (last.rate - before.rate)
	for _, c := range costs {
		a = max(a, (c.cpu-b)*c.rate)
	}
	return a, b
}

// sizingRows has its head first.
func sizingRows(costs []costAt) [][]string {
	rows := [][]string{{"requests/s", "CPU µs/request", "of a core"}}
	for _, c := range costs {
		rows = append(rows, []string{fmt.Sprintf("%.0f", c.rate), number(c.cpu), fmt.Sprintf("%.1f %%", c.cpu*c.rate/1e4)})
	}
	return rows
}
