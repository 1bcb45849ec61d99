package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mirrorgate/mirrorgate/bench"
	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/haproxy"
)

// This file measures production's view: an HTTP load generator in front of a
// HAProxy whose agent mirrors, and in front of one whose agent only acknowledges.

// wrkReport is what wrk says of one run.
type wrkReport struct {
	rate     float64 // requests a second
	p50, p99 time.Duration
}

const productionRounds = 3

// wrkLoad is one request after the other, so that there is time left on each core:
// all of it taken, the figures would tell how it is shared out.
var wrkLoad = []string{"--threads=1", "--connections=1", "--duration=3s", "--latency"}

// benchProduction returns a Markdown section, or "" if there is no haproxy or no
// wrk on PATH.
func benchProduction(ctx context.Context) (string, error) {
	for _, program := range []string{"haproxy", "wrk"} {
		if _, err := exec.LookPath(program); err != nil {
			return "", nil
		}
	}
	var sinks [2]*bench.Sink
	for i := range sinks {
		sink, err := bench.ListenSink("127.0.0.1:0", bench.SinkOK, 0)
		if err != nil {
			return "", err
		}
		defer sink.Close()
		sinks[i] = sink
	}
	origin, target := sinks[0], sinks[1]
	agents := []string{"--sample=100%", "--sample=0"}
	seen := make([][]wrkReport, len(agents))
	for range productionRounds {
		for i, sample := range agents {
			p, err := measureProduction(ctx, origin.Addr(), "--target=http://"+target.Addr(), sample)
			if err != nil {
				return "", fmt.Errorf("cannot measure with HAProxy in front: %w", err)
			}
			seen[i] = append(seen[i], p)
		}
	}
	text := fmt.Sprintf("One HAProxy, its origin and `wrk %s`, all on this machine, %d rounds in turns: each request is mirrored (A), or the agent only acknowledges it (B).\n\n",
		strings.Join(wrkLoad, " "), productionRounds)
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

// measureProduction starts an agent with args, HAProxy with the demo's
// configuration in front of it, and wrk in front of that.
func measureProduction(ctx context.Context, origin string, args ...string) (p wrkReport, err error) {
	listen, release, err := haproxy.Reserve()
	if err != nil {
		return p, err
	}
	release()
	self, err := os.Executable()
	if err != nil {
		return p, fmt.Errorf("cannot find this binary: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	agent := exec.CommandContext(ctx, self, append([]string{"--listen=" + listen, "--admin=", "--log-level=error"}, args...)...)
	if err := agent.Start(); err != nil {
		cancel()
		return p, fmt.Errorf("cannot start the agent: %w", err)
	}
	defer func() {
		cancel()
		_ = agent.Wait() // it was killed
	}()
	if err := awaitListener(ctx, listen); err != nil {
		return p, err
	}
	h, _, mirrored, err := startDemoHAProxy(ctx, origin, listen)
	if err != nil {
		return p, err
	}
	defer h.Stop()
	out, err := exec.CommandContext(ctx, "wrk", append(slices.Clone(wrkLoad), "http://"+mirrored+"/")...).CombinedOutput()
	if err != nil {
		return p, fmt.Errorf("cannot run wrk: %w: %s", err, out)
	}
	return parseWrk(string(out))
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
			return fmt.Errorf("the agent does not listen: %w", err)
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
