package main

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/mirrorgate/mirrorgate/bench"
)

// This file measures production's view: an HTTP load generator in front of a
// HAProxy whose agent mirrors, and in front of one whose agent only acknowledges.
// As in production the mirror host, which is mirrorgate and its target, has cores
// of its own.

// productionAgents are the options of the agents that are compared.
var productionAgents = []string{"--sample=100%", "--sample=0"}

const (
	productionRounds   = 5
	productionDuration = 3 * time.Second
)

// benchProduction returns a Markdown section on the programs of run, or "" if
// there is no haproxy or no wrk on PATH.
func benchProduction(ctx context.Context, run bench.RunConfig, rounds int, duration time.Duration) (string, error) {
	for _, program := range []string{"haproxy", "wrk"} {
		if _, err := exec.LookPath(program); err != nil {
			return "", nil
		}
	}
	production, mirror, err := halveCores()
	if err != nil {
		return "", err
	}
	origin, err := startProgram(ctx, production, run.Bench, "sink")
	if err != nil {
		return "", err
	}
	defer origin.stop()
	target, err := startProgram(ctx, mirror, run.Bench, "sink")
	if err != nil {
		return "", err
	}
	defer target.stop()
	wrk := wrkArgs(1, duration)
	seen := make([][]wrkReport, len(productionAgents))
	for range rounds {
		for i, sample := range productionAgents {
			agent, err := startProgram(ctx, mirror, run.Mirrorgate, "--admin=", "--log-level=error", "--target=http://"+target.addr, sample)
			if err != nil {
				return "", err
			}
			p, err := measureProduction(ctx, production, run.Mirrorgate, origin.addr, agent.addr, wrk)
			agent.stop()
			if err != nil {
				return "", fmt.Errorf("cannot measure with HAProxy in front: %w", err)
			}
			seen[i] = append(seen[i], p)
		}
	}
	where := "have one half of this machine's cores, mirrorgate and its target the other"
	if production == nil {
		where = "share one core with mirrorgate and its target, which take time from them"
	}
	text := fmt.Sprintf("HAProxy, its origin and `wrk %s` %s. %d rounds in turns: each request is mirrored (A), or the agent only acknowledges it (B).\n\n",
		strings.Join(wrk, " "), where, rounds)
	text += "| median | A | B | A÷B |\n|---|---|---|---|\n"
	for _, f := range []struct {
		name string
		of   func(wrkReport) float64
	}{
		{"requests/s", func(p wrkReport) float64 { return p.rate }},
		{"p50 µs", func(p wrkReport) float64 { return float64(p.p50.Microseconds()) }},
		{"p99 µs", func(p wrkReport) float64 { return float64(p.p99.Microseconds()) }},
	} {
		a, b := medianOf(seen[0], f.of), medianOf(seen[1], f.of)
		text += fmt.Sprintf("| %s | %.0f | %.0f | %.2f |\n", f.name, a, b, a/b)
	}
	return text, nil
}

func medianOf[T any](all []T, of func(T) float64) float64 {
	var values []float64
	for _, p := range all {
		values = append(values, of(p))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// measureProduction starts HAProxy in front of the agent, and wrk in front of that.
func measureProduction(ctx context.Context, on cpus, mirrorgate, origin, agent string, wrk []string) (r wrkReport, err error) {
	err = onCores(on, func() error {
		p, err := startProxy(ctx, mirrorgate, origin, agent)
		if err != nil {
			return err
		}
		defer p.Stop()
		r, err = runWrk(ctx, wrk, p.mirrored)
		return err
	})
	return r, err
}
