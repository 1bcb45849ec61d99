package bench

import (
	"testing"
	"time"
)

func TestDueBy(t *testing.T) {
	f := func(rate float64, at time.Duration, want uint64) {
		t.Helper()
		if got := (pace{rate: rate}).dueBy(at); got != want {
			t.Errorf("%g/s at %s: %d requests are due, want %d", rate, at, got, want)
		}
	}
	f(1000, 0, 0)
	f(1000, time.Millisecond, 1)
	f(1000, 1999*time.Microsecond, 1) // between two ticks
	f(1000, 7*time.Millisecond, 7)
	f(1, 999*time.Millisecond, 0)
	f(1, time.Second, 1)
	f(0.5, 3*time.Second, 1)
	f(1500, 3*time.Millisecond, 4)
	f(40_000, time.Millisecond, 40)
	f(200_000, time.Hour, 720_000_000)
	f(1e9, time.Hour, 3_600_000_000_000)
}
