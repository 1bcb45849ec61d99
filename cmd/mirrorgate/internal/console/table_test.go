package console

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/admin"
)

func TestStatusTable(t *testing.T) {
	seconds := func(s float64) *float64 { return &s }
	now := time.Date(2026, 7, 8, 10, 0, 0, 0, time.Local)
	s := admin.Stats{
		Time:    now,
		Version: "v1.2.3", Uptime: 11105.4, Ready: true, Connections: 128,
		Received: admin.Flow{Rate: 123456},
		ACK:      admin.Latency{P50: seconds(8.27e-6), P99: seconds(210e-6)},
		Memory:   admin.Memory{Resident: 1 << 30, Payload: 12345678, Limit: 512 << 20},
		Groups: []admin.GroupStats{
			{Name: "staging", Sample: 1, Effective: 1, Targets: []admin.TargetStats{{
				Name: "staging", Sent: admin.Flow{Rate: 123456}, ResponseRate: map[string]float64{"2xx": 5, "5xx": 0}, Latency: admin.Latency{P50: seconds(0.00123), P99: seconds(2.5)}, QueueLimit: 8192}}},
			{Name: "v2", Sample: 0.025, Effective: 0.00123456, Targets: []admin.TargetStats{
				{Name: "a-long-name", URL: "http://a:80", Selected: admin.Flow{Rate: 1234}, Sent: admin.Flow{Rate: 20}, DropRate: map[string]float64{"rate": 1000, "stale": 234}, ErrorRate: map[string]float64{"reset": 2.5}, Queue: 8192, QueueLimit: 8192,
					ResponseRate: map[string]float64{"2xx": 39, "4xx": 0, "5xx": 1},
					LastFailure:  &admin.Failure{Kind: "dial", Reason: "connection refused", Since: now.Add(-24 * time.Hour), Last: now}},
			}},
		},
		Notes: []admin.Note{{Level: "bad", Text: "a-long-name drops 1234/s of its requests: its queue is full, and this note has more words than a line has room for."},
			{Level: "warn", Text: "One more."}, {Level: "good", Text: "None."}},
	}
	var b bytes.Buffer
	writeStatus(&b, []instance{{address: "127.0.0.1:12346", stats: s}}, 80)
	_, got, _ := strings.Cut(b.String(), "\n") // the first line has the time of day
	want := `received 123k/s on 128 connections, ACK p50 8.27µs p99 210µs
memory 1GiB, payloads 11.8MiB of 512MiB

!! a-long-name drops 1234/s of its requests: its queue is full, and this note
   has more words than a line has room for.
!  One more.
   None.

TARGET         SAMPLE  EFFECT  SENT/S     P50    P99     CLASS    ERR  DROP      QUEUE
staging          100%    100%    123k  1.23ms  2.50s       2xx      0     0     0/8192
v2               2.5%  0.123%
  a-long-name                      20       -      -  5xx 2.5%  12.5%  100%  8192/8192

a-long-name: last failure 10:00:00 (dial since 2026-07-07 10:00:00)
  http://a:80: connection refused
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for line := range strings.Lines(b.String()) {
		if n := utf8.RuneCountInString(line) - 1; n > 90 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	if !strings.HasPrefix(b.String(), "mirrorgate v1.2.3 at 127.0.0.1:12346, up 3h5m5s, ") {
		t.Errorf("the head is %.80s", b.String())
	}
}

// Whatever answers at the admin address, nothing that it says does something to the
// terminal.
func TestStatusPrintsNoControls(t *testing.T) {
	const evil = "\x1b]0;evil\a\u009b2J\r\n"
	soon := time.Now()
	stats := admin.Stats{Version: evil, Notes: []admin.Note{{Level: evil, Text: evil}}}
	for _, name := range []string{evil, evil + "2"} {
		stats.Groups = append(stats.Groups, admin.GroupStats{Name: name, SampleUntil: &soon,
			Targets: []admin.TargetStats{{Name: evil, URL: evil, TunedUntil: &soon, ResponseRate: map[string]float64{evil: 1},
				LastFailure: &admin.Failure{Kind: evil, Reason: evil}}}})
	}
	var b bytes.Buffer
	writeStatus(&b, []instance{{address: evil, stats: stats}, {address: evil, err: errors.New(evil)}}, 80)
	if strings.ContainsFunc(strings.ReplaceAll(b.String(), "\n", ""), unicode.IsControl) {
		t.Errorf("it prints control characters: %q", b.String())
	}
	if lines := strings.Count(b.String(), "\n"); lines != 20 {
		t.Errorf("it prints %d lines: %q", lines, b.String())
	}
}

func TestShortFigures(t *testing.T) {
	f := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("it writes %s, want %s", got, want)
		}
	}
	f(shortCount(0), "0")
	f(shortCount(0.25), "0.2")
	f(shortCount(9999), "9999")
	f(shortCount(12345), "12.3k")
	f(shortCount(2345678), "2.35M")
	f(shortTime(nil), "-")
	seconds := func(s float64) string { return shortTime(&s) }
	f(seconds(0.0000012), "1.20µs")
	f(seconds(0.000999), "999µs")
	f(seconds(0.0305), "30.5ms")
	f(seconds(10), "10s")
	f(shortBytes(0), "0B")
	f(shortBytes(999), "999B")
	f(shortBytes(1536), "1.50KiB")
	f(shortBytes(3<<40), "3TiB")
	f(shortShare(1), "100%")
	f(shortShare(0.02), "2%")
	f(shortShare(0.00012345), "0.0123%")
}

func TestFit(t *testing.T) {
	f := func(text string, width, height int, want string) {
		t.Helper()
		if got := fit(text, width, height); got != want {
			t.Errorf("%q in %d times %d is %q, want %q", text, width, height, got, want)
		}
	}
	const end = clearLine + "\r\n"
	f("one\ntwo\nthree\nfour\n", 50, 3, "one"+end+"two"+end+"… 2 more lines: make the terminal larger"+end)
	f("one\ntwo\n", 10, 10, "one"+end+"two"+end)
	f("one\ntwo\n", 99, 1, "… 2 more lines: make the terminal larger"+end)
	f("one\n\nthree\n", 10, 3, "one"+end+end+"three"+end)
	f("µµµµµ\n", 5, 5, "µµµµµ"+end)
	f("µµµµµ\n", 4, 5, "µµµ…"+end)
}

func TestClassShares(t *testing.T) {
	f := func(rates map[string]float64, want string) {
		t.Helper()
		if got := classShares(rates); got != want {
			t.Errorf("of %v it says %q, want %q", rates, got, want)
		}
	}
	f(nil, "-")
	f(map[string]float64{"2xx": 0}, "-")
	f(map[string]float64{"2xx": 7, "5xx": 0}, "2xx")
	f(map[string]float64{"4xx": 7}, "4xx")
	f(map[string]float64{"2xx": 50, "4xx": 10, "5xx": 40}, "5xx 40% 4xx 10%")
}
