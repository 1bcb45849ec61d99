package bench

import (
	"fmt"
	"strings"
	"testing"
)

func TestSpread(t *testing.T) {
	f := func(want string, values ...float64) {
		t.Helper()
		if got := newSpread(values).String(); got != want {
			t.Errorf("%v: got %s, want %s", values, got, want)
		}
	}
	f("7.00 / 7.00 / 7.00", 7)
	f("1.00 / 2.00 / 3.00", 3, 1, 2)
	f("1.00 / 2.50 / 90.0", 90, 1, 2, 3)
	f("0 / 0.50 / 12345", 12345, 0, 0.5)
}

func TestRatiosAreRoundByRound(t *testing.T) {
	report := func(rate, cpu float64, dropped uint64) Report {
		return Report{DeliveryRate: rate, CPUPerDelivery: cpu, Dropped: dropped}
	}
	c := newComparison("a", "b",
		[]Report{report(100, 1, 0), report(300, 2, 5), report(50, 3, 0)},
		[]Report{report(200, 1, 0), report(100, 4, 0), report(100, 3, 10)})
	f := func(figure, a, b, ratios string) {
		t.Helper()
		for _, row := range c.Figures {
			if row.Figure != figure {
				continue
			}
			got := fmt.Sprint(row.Ratios)
			if row.A.String() != a || row.B.String() != b || got != ratios {
				t.Errorf("%s: %s, %s, %s", figure, row.A, row.B, got)
			}
			if (row.Ratio == nil) != (len(row.Ratios) == 0) {
				t.Errorf("%s: ratio %v of %v", figure, row.Ratio, row.Ratios)
			}
			return
		}
		t.Errorf("%s is missing", figure)
	}
	f("delivery_rate", "50.0 / 100 / 300", "100 / 100 / 200", "[0.5 3 0.5]")
	f("cpu_us_per_delivered", "1.00 / 2.00 / 3.00", "1.00 / 3.00 / 4.00", "[1 0.5 1]")
	f("dropped", "0 / 0 / 5.00", "0 / 0 / 10.0", "[0]")
	f("ack_rate", "0 / 0 / 0", "0 / 0 / 0", "[]")
}

func testSweeps() []Sweep {
	point := func(size int, cpu float64) SweepPoint {
		return SweepPoint{Size: size, Report: Report{CPUPerAcked: cpu, CPUPerDelivery: cpu, Dropped: 7}}
	}
	return []Sweep{
		{"targets", []SweepPoint{point(1, 1.5), point(2, 2.25)}},
		{"batch", []SweepPoint{point(1, 8), point(64, 1.25)}},
		{"one", []SweepPoint{point(1, 0)}},
		{"floor", []SweepPoint{{Size: 3, Report: Report{CPUPerDelivery: 3}, Floor: &Report{CPUPerDelivery: 2}}}},
	}
}

func TestSweepsText(t *testing.T) {
	var b strings.Builder
	if err := WriteSweepsText(&b, testSweeps()); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(b.String(), "\n")
	f := func(line int, want string) {
		t.Helper()
		if got := strings.Join(strings.Fields(lines[line]), " "); !strings.HasPrefix(got, want) {
			t.Errorf("line %d: got %q, want %q", line, got, want)
		}
	}
	f(0, "targets deliveries/s dropped CPU")
	f(2, "2 0 7 2.25 2.25")
	f(4, "batch")
	f(6, "64 0 7 1.25")
	f(12, "3 0 0 0 3.00 0 0 0 2.00 1.50")
}

func TestOverTLS(t *testing.T) {
	f := func(command, want string) {
		t.Helper()
		if got := overTLS(command); got != want {
			t.Errorf("got %s", got)
		}
	}
	f("m {listen} --target=http://{targets}", "m {listen} --tls-insecure --target=https://{targets}")
	f("other -l {listen} -t http://{target}", "other -l {listen} -t http://{target}")
	if overTLS(DefaultCommand) == DefaultCommand {
		t.Error("mirrorgate itself is not measured")
	}
}

func TestMarkdown(t *testing.T) {
	var b strings.Builder
	writeMarkdown(&b, [][]string{{"a", "b"}, {"1", "2"}})
	if got := b.String(); got != "| a | b |\n|---|---|\n| 1 | 2 |\n" {
		t.Errorf("got %q", got)
	}
}

func TestMachine(t *testing.T) {
	for _, want := range []string{" cores, Linux ", "go1."} {
		if !strings.Contains(machine(), want) {
			t.Errorf("got %q", machine())
		}
	}
}
