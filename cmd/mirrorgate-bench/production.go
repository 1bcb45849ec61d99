package main

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mirrorgate/mirrorgate/bench"
	"github.com/mirrorgate/mirrorgate/cmd/internal/haproxy"
)

// This file measures production's view: an HTTP load generator in front of a
// HAProxy whose agent mirrors, and in front of one whose agent only acknowledges.
// As in production the mirror host, which is mirrorgate and its target, has cores
// of its own.

// wrkReport is what wrk says of one run.
type wrkReport struct {
	rate     float64 // requests a second
	p50, p99 time.Duration
}

// productionAgents are the options of the agents that are compared.
var productionAgents = []string{"--sample=100%", "--sample=0"}

const (
	productionRounds   = 5
	productionDuration = 3 * time.Second
)

// wrkArgs are one request after the other, so that there is time left on each
// core: all of it taken, the figures would tell how it is shared out.
func wrkArgs(duration time.Duration) []string {
	return []string{"--threads=1", "--connections=1", "--duration=" + duration.String(), "--latency"}
}

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
	origin, stop, err := startBinary(ctx, production, run.Bench, "sink")
	if err != nil {
		return "", err
	}
	defer stop()
	target, stop, err := startBinary(ctx, mirror, run.Bench, "sink")
	if err != nil {
		return "", err
	}
	defer stop()
	wrk := wrkArgs(duration)
	seen := make([][]wrkReport, len(productionAgents))
	for range rounds {
		for i, sample := range productionAgents {
			agent, stop, err := startBinary(ctx, mirror, run.Mirrorgate, "--admin=", "--log-level=error", "--target=http://"+target, sample)
			if err != nil {
				return "", err
			}
			p, err := measureProduction(ctx, production, run.Mirrorgate, origin, agent, wrk)
			stop()
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

func medianOf(all []wrkReport, of func(wrkReport) float64) float64 {
	var values []float64
	for _, p := range all {
		values = append(values, of(p))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// measureProduction starts HAProxy in front of the agent, and wrk in front of that.
func measureProduction(ctx context.Context, on cpus, mirrorgate, origin, agent string, wrk []string) (p wrkReport, err error) {
	err = onCores(on, func() error {
		h, err := startProxy(ctx, mirrorgate, origin, agent)
		if err != nil {
			return err
		}
		defer h.Stop()
		out, err := exec.CommandContext(ctx, "wrk", append(slices.Clone(wrk), "http://"+h.mirrored+"/")...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("cannot run wrk: %w: %s", err, out)
		}
		p, err = parseWrk(string(out))
		return err
	})
	return p, err
}

// startBinary runs a command line on a free address, until stop is called.
func startBinary(ctx context.Context, on cpus, binary string, args ...string) (addr string, stop func(), err error) {
	addr, release, err := haproxy.Reserve()
	if err != nil {
		return "", nil, err
	}
	release()
	ctx, cancel := context.WithCancel(ctx)
	p := exec.CommandContext(ctx, binary, append(args, "--listen="+addr)...)
	if err := onCores(on, p.Start); err != nil {
		cancel()
		return "", nil, fmt.Errorf("cannot start %s: %w", strings.Join(args, " "), err)
	}
	stop = func() {
		cancel()
		_ = p.Wait() // it was killed
	}
	if err := awaitListener(ctx, addr); err != nil {
		stop()
		return "", nil, fmt.Errorf("cannot start %s: %w", strings.Join(args, " "), err)
	}
	return addr, stop, nil
}

func awaitListener(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	for {
		c, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
		if err == nil {
			return c.Close()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("it does not listen: %w", err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

var (
	wrkRate     = regexp.MustCompile(`Requests/sec:\s+([\d.]+)`)
	wrkQuantile = regexp.MustCompile(`(?m)^\s+(50|99)%\s+([\d.]+(?:us|ms|s))$`)
	wrkErrors   = regexp.MustCompile(`(?m)^\s*(Socket errors|Non-2xx).*$`)
)

// parseWrk reads the report of wrk --latency. Requests that failed make it an
// error: they are faster than those that did not.
func parseWrk(out string) (p wrkReport, err error) {
	if failed := wrkErrors.FindString(out); failed != "" {
		return p, fmt.Errorf("wrk met errors: %s", strings.TrimSpace(failed))
	}
	rate := wrkRate.FindStringSubmatch(out)
	quantiles := wrkQuantile.FindAllStringSubmatch(out, -1)
	if rate == nil || len(quantiles) != 2 {
		return p, fmt.Errorf("cannot read what wrk says: %q", out)
	}
	if p.rate, err = strconv.ParseFloat(rate[1], 64); err != nil {
		return p, err
	}
	if p.p50, err = time.ParseDuration(quantiles[0][2]); err != nil {
		return p, err
	}
	p.p99, err = time.ParseDuration(quantiles[1][2])
	return p, err
}
