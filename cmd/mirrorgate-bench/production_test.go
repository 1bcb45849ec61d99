package main

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// The section has all figures, whatever they are.
func TestBenchProduction(t *testing.T) {
	if _, err := exec.LookPath("wrk"); err != nil {
		t.Fatal("wrk is not on PATH - install it, on Debian with: apt-get install wrk")
	}
	text, err := benchProduction(t.Context(), programs, 1, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	figures := regexp.MustCompile(`(?m)^\| (requests/s|p50 µs|p99 µs) \|( [1-9]\d* \|){2} \d+\.\d\d \|$`)
	if n := len(figures.FindAllString(text, -1)); n != 3 {
		t.Errorf("%d rows have figures: %s", n, text)
	}
}

func TestBenchVersions(t *testing.T) {
	path, err := exec.LookPath("haproxy")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(path)
	text, err := benchVersions(t.Context(), programs, []string{dir, dir}, 1, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	figures := regexp.MustCompile(`(?m)^\| \d\.\d+ \|( [1-9]\d* \|){2} \d\.\d\d \| [01]\.\d{3} \| \d+\.\d \|$`)
	if n := len(figures.FindAllString(text, -1)); n != 2 {
		t.Errorf("%d rows have figures: %s", n, text)
	}
}

func TestParseWrk(t *testing.T) {
	const report = `Running 3s test @ http://127.0.0.1:8080/
  1 threads and 4 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   160.50us  120.11us   4.30ms   95.99%
    Req/Sec    24.13k     1.40k   26.32k    73.33%
  Latency Distribution
     50%  142.00us
     75%  174.00us
     90%  215.00us
     99%    1.25ms
  72045 requests in 3.00s, 2.75MB read
Requests/sec:  24011.52
Transfer/sec:      0.92MB
`
	want := wrkReport{requests: 72045, rate: 24011.52, p50: 142 * time.Microsecond, p99: 1250 * time.Microsecond}
	if got, err := parseWrk(report); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	f := func(out, want string) {
		t.Helper()
		if _, err := parseWrk(out); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	f("", "cannot read what wrk says")
	f(strings.Replace(report, " 99%", " 98%", 1), "cannot read what wrk says")
	f(report+"  Non-2xx or 3xx responses: 12\n", "wrk met errors: Non-2xx or 3xx responses: 12")
	f(report+"  Socket errors: connect 0, read 1, write 0, timeout 0\n", "wrk met errors: Socket errors")
}
