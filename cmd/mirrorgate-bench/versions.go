package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/mirrorgate/mirrorgate/bench"
	"github.com/mirrorgate/mirrorgate/cmd/internal/haproxy"
)

// This file measures what the filter costs HAProxy, and its requests mirrorgate, by
// HAProxy's version.

const (
	versionClients  = 64 // of wrk, as many as keep HAProxy busy
	versionRounds   = 3
	versionDuration = 2 * time.Second
)

// versionCost is of one round.
type versionCost struct {
	plain, mirrored float64 // requests/s of HAProxy
	delivered       float64 // share of the mirrored ones that arrived at the target
	cpu             float64 // µs of mirrorgate for each of these
}

// benchVersions returns a Markdown section on the haproxy of each directory, or ""
// without any.
func benchVersions(ctx context.Context, run bench.RunConfig, dirs []string, rounds int, duration time.Duration) (string, error) {
	if len(dirs) == 0 {
		return "", nil
	}
	names := make([]haproxy.Version, len(dirs))
	costs := make([][]versionCost, len(dirs))
	for range rounds {
		for i, dir := range dirs {
			c, err := measureVersion(ctx, run, dir, duration, &names[i])
			if err != nil {
				return "", fmt.Errorf("cannot measure the haproxy of %s: %w", dir, err)
			}
			costs[i] = append(costs[i], c)
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\nRequests/s of HAProxy with `wrk %s`, without the filter and with it, the share of the latter that was delivered to the target, and the CPU time of mirrorgate for each of these. Medians of %d rounds in turns.\n\n",
		strings.Join(wrkArgs(versionClients, duration), " "), rounds)
	b.WriteString("| HAProxy | without | with | with ÷ without | delivered | CPU µs/delivery |\n|---|---|---|---|---|---|\n")
	for i, seen := range costs {
		fmt.Fprintf(&b, "| %s | %.0f | %.0f | %.2f | %.3f | %.1f |\n", names[i],
			medianOf(seen, func(c versionCost) float64 { return c.plain }),
			medianOf(seen, func(c versionCost) float64 { return c.mirrored }),
			medianOf(seen, func(c versionCost) float64 { return c.mirrored / c.plain }),
			medianOf(seen, func(c versionCost) float64 { return c.delivered }),
			medianOf(seen, func(c versionCost) float64 { return c.cpu }))
	}
	return b.String(), nil
}

// measureVersion has the haproxy of dir in front of an origin and of mirrorgate with
// its defaults, each half on cores of its own.
func measureVersion(ctx context.Context, run bench.RunConfig, dir string, duration time.Duration, version *haproxy.Version) (c versionCost, err error) {
	production, mirror, err := halveCores()
	if err != nil {
		return c, err
	}
	origin, err := startProgram(ctx, production, run.Bench, "sink")
	if err != nil {
		return c, err
	}
	defer origin.stop()
	target, err := startProgram(ctx, mirror, run.Bench, "sink")
	if err != nil {
		return c, err
	}
	defer target.stop()
	agent, err := startProgram(ctx, mirror, run.Mirrorgate, "--admin=", "--log-level=error", "--target=http://"+target.addr)
	if err != nil {
		return c, err
	}
	defer agent.stop()
	var requests float64
	if err := onCores(production, func() error {
		p, err := startProxyOf(ctx, dir, run.Mirrorgate, origin.addr, agent.addr)
		if err != nil {
			return err
		}
		defer p.Stop()
		*version = p.version
		plain, err := runWrk(ctx, wrkArgs(versionClients, duration), p.plain)
		if err != nil {
			return err
		}
		mirrored, err := runWrk(ctx, wrkArgs(versionClients, duration), p.mirrored)
		c.plain, c.mirrored, requests = plain.rate, mirrored.rate, mirrored.requests
		return err
	}); err != nil {
		return c, err
	}
	cpu := agent.stop() // first, so that all of it is delivered
	target.stop()
	delivered, err := strconv.ParseFloat(strings.TrimSpace(target.output.String()), 64)
	if err != nil || delivered == 0 {
		return c, fmt.Errorf("nothing was delivered: the target says %q", target.output.String())
	}
	c.delivered, c.cpu = delivered/requests, float64(cpu.Microseconds())/delivered
	return c, nil
}

// startProxyOf starts the haproxy of a directory.
func startProxyOf(ctx context.Context, dir, mirrorgate, origin, agent string) (proxy, error) {
	path := os.Getenv("PATH")
	if err := os.Setenv("PATH", dir+string(os.PathListSeparator)+path); err != nil {
		return proxy{}, err
	}
	defer os.Setenv("PATH", path)
	return startProxy(ctx, mirrorgate, origin, agent)
}
