package main

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// wrkReport is what wrk says of one run.
type wrkReport struct {
	requests float64
	rate     float64 // requests a second
	p50, p99 time.Duration
}

// wrkArgs are that many requests at a time. With one there is time left on each
// core: all of it taken, latencies would tell how it is shared out.
func wrkArgs(connections int, duration time.Duration) []string {
	return []string{"--threads=1", fmt.Sprintf("--connections=%d", connections), "--duration=" + duration.String(), "--latency"}
}

// runWrk sends requests to addr.
func runWrk(ctx context.Context, args []string, addr string) (wrkReport, error) {
	out, err := exec.CommandContext(ctx, "wrk", append(slices.Clone(args), "http://"+addr+"/")...).CombinedOutput()
	if err != nil {
		return wrkReport{}, fmt.Errorf("cannot run wrk: %w: %s", err, out)
	}
	return parseWrk(string(out))
}

var (
	wrkRequests = regexp.MustCompile(`(?m)^\s*(\d+) requests in `)
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
	requests := wrkRequests.FindStringSubmatch(out)
	rate := wrkRate.FindStringSubmatch(out)
	quantiles := wrkQuantile.FindAllStringSubmatch(out, -1)
	if requests == nil || rate == nil || len(quantiles) != 2 {
		return p, fmt.Errorf("cannot read what wrk says: %q", out)
	}
	if p.requests, err = strconv.ParseFloat(requests[1], 64); err != nil {
		return p, err
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
