package bench

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// findAllocated reads what the whole process of the agent has allocated, while
// it works, from the agent's own metrics.
func findAllocated(ctx context.Context, run RunConfig, _ int) ([]goal, error) {
	admin, err := freeAddr()
	if err != nil {
		return nil, err
	}
	run.Batch, run.Load.Rate = 64, 100_000
	run.Command = strings.Replace(run.Command, "--admin=", "--admin="+admin, 1)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type seen struct {
		objects float64
		err     error
	}
	watched := make(chan seen, 1)
	go func() {
		objects, err := allocatedBetween(ctx, admin, run.Load)
		watched <- seen{objects, err}
	}()
	if _, err := Run(ctx, run); err != nil {
		return nil, err
	}
	s := <-watched
	return []goal{{
		what: "objects that the whole process allocates for each request, at 100,000/s and batch 64",
		seen: fmt.Sprintf("%.4f", s.objects), value: s.objects, bound: 0.05,
	}}, s.err
}

// allocatedBetween waits for requests, lets the warm-up pass, and returns the
// objects allocated for each request in the time after it.
func allocatedBetween(ctx context.Context, admin string, l Load) (float64, error) {
	var before, after [2]float64
	var err error
	for before, err = readAllocated(ctx, admin); err != nil || before[1] == 0; before, err = readAllocated(ctx, admin) {
		if waitErr := wait(ctx, 10*time.Millisecond); waitErr != nil {
			return 0, waitErr
		}
	}
	if err := wait(ctx, l.Warmup); err != nil {
		return 0, err
	}
	if before, err = readAllocated(ctx, admin); err != nil {
		return 0, err
	}
	if err := wait(ctx, l.Duration/2); err != nil {
		return 0, err
	}
	if after, err = readAllocated(ctx, admin); err != nil {
		return 0, err
	}
	if after[1] == before[1] {
		return 0, fmt.Errorf("the agent received nothing")
	}
	return (after[0] - before[0]) / (after[1] - before[1]), nil
}

// readAllocated returns the objects that the agent has allocated and the
// requests that it has received.
func readAllocated(ctx context.Context, admin string) (values [2]float64, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+admin+"/metrics", nil)
	if err != nil {
		return values, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return values, err
	}
	defer resp.Body.Close()
	found := 0
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), " ")
		for i, want := range []string{"go_memstats_mallocs_total", "mirrorgate_requests_received_total"} {
			if name != want {
				continue
			}
			if values[i], err = strconv.ParseFloat(value, 64); err != nil {
				return values, fmt.Errorf("cannot read %s: %w", want, err)
			}
			found++
		}
	}
	if found < len(values) {
		return values, fmt.Errorf("the agent at %s does not tell what it allocates", admin)
	}
	return values, nil
}
