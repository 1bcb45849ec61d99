package fanout

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func inForce(f *Fanout) string {
	var b strings.Builder
	for _, g := range f.Groups() {
		fmt.Fprintf(&b, "%s %s:", g.Name, FormatShare(g.Sample))
		for _, t := range g.Targets {
			fmt.Fprintf(&b, " %s %d %s", t.Name, t.Weight, FormatRate(t.Rate))
			if t.Paused {
				b.WriteString(" paused")
			}
		}
		b.WriteString("; ")
	}
	return b.String()
}

// What is tuned is in force at once, and for as long as it should be.
func TestTune(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		f := newFanout(t, func(c *Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) },
			"a=http://h,group=g,sample=50%,rate=10/s", "b=http://i,group=g,weight=2,sample=50%,rate=10/s")
		defer drain(t, f)
		ask := func(err error) {
			t.Helper()
			if err != nil {
				t.Error(err)
			}
		}
		want := func(want string) {
			t.Helper()
			if got := inForce(f); got != want {
				t.Errorf("in force is %q, want %q", got, want)
			}
		}
		const before = "g 50%: a 1 10/s b 2 10/s; "
		want(before)
		ask(f.TuneGroup("g", GroupTuning{Sample: new(0.02)}, 10*time.Minute))
		want("g 2%: a 1 10/s b 2 10/s; ")
		if until := f.Groups()[0].SampleUntil; !until.Equal(time.Now().Add(10 * time.Minute)) {
			t.Errorf("tuned until %v", until)
		}
		ask(f.TuneTarget("a", TargetTuning{Rate: new(0.0), Weight: new(5), Paused: new(true)}, 0))
		ask(f.TuneTarget("a", TargetTuning{Paused: new(false)}, time.Minute))
		want("g 2%: a 5 none b 2 10/s; ")
		time.Sleep(time.Minute)
		synctest.Wait()
		want("g 2%: a 5 none paused b 2 10/s; ") // what was tuned for good is back
		time.Sleep(9 * time.Minute)
		synctest.Wait()
		want("g 50%: a 5 none paused b 2 10/s; ")
		if until := f.Groups()[0].SampleUntil; !until.IsZero() {
			t.Errorf("still tuned until %v", until)
		}
		ask(f.TuneGroup("g", GroupTuning{Sample: new(0.1)}, time.Minute))
		time.Sleep(30 * time.Second)
		ask(f.TuneGroup("g", GroupTuning{Sample: new(0.2)}, time.Minute)) // the latest counts
		time.Sleep(45 * time.Second)
		want("g 20%: a 5 none paused b 2 10/s; ")
		ask(f.Reload(f.config)) // ends all of it
		want(before)
		time.Sleep(time.Hour)
		synctest.Wait()
		want(before)
		for _, line := range []string{
			`msg=tuned group=g sample=2% was=50% until="`, `msg=tuned target=a rate=none was=10/s`,
			`msg=tuned target=a weight=5 was=1`, `msg="tuning ended" target=a paused=true was=false`,
			`msg="tuning ended" group=g sample=50% was=2%`,
		} {
			if !strings.Contains(log.String(), line) {
				t.Errorf("the log lacks %s:\n%s", line, &log)
			}
		}
	})
}

// Wrong values change nothing; an unknown name is told apart from them.
func TestTuneRefuses(t *testing.T) {
	f := newFanout(t, nil, "a=http://h,group=g", "b=http://i,group=g")
	defer drain(t, f)
	try := func(err error, unknown bool, want string) {
		t.Helper()
		if err == nil || errors.Is(err, ErrUnknown) != unknown || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want one with %q", err, want)
		}
		if got := inForce(f); got != "g 100%: a 1 none b 1 none; " {
			t.Errorf("in force is %q", got)
		}
	}
	try(f.TuneGroup("a", GroupTuning{Sample: new(0.5)}, 0), true, `no group "a", but g`)
	try(f.TuneTarget("g", TargetTuning{Paused: new(true)}, 0), true, `no target "g", but a, b`)
	for _, share := range []float64{-0.1, 1.1, math.NaN()} {
		try(f.TuneGroup("g", GroupTuning{Sample: &share}, 0), false, "should be from 0% to 100%")
	}
	for _, rate := range []float64{-1, math.NaN(), math.Inf(1)} {
		try(f.TuneTarget("a", TargetTuning{Rate: &rate, Weight: new(2)}, 0), false, "should be like 200/s")
	}
	try(f.TuneTarget("a", TargetTuning{Rate: new(1.0), Weight: new(0)}, 0), false, "should be from 1")
	try(f.TuneTarget("a", TargetTuning{Rate: new(1.0)}, -time.Second), false, "should be a time above 0")
}

// The next request goes by what was tuned.
func TestTunedIsFelt(t *testing.T) {
	f := newChooser(t, "random", "a=http://h,group=g", "b=http://i,group=g")
	count := func(n int) (a, b int) {
		for range n {
			switch chosen(f, request("GET", "/", "")) {
			case 0:
				a++
			case 1:
				b++
			}
		}
		return a, b
	}
	if err := f.TuneGroup("g", GroupTuning{Sample: new(0.0)}, 0); err != nil {
		t.Fatal(err)
	}
	if a, b := count(1000); a+b != 0 {
		t.Errorf("%d and %d selected of a sample of 0", a, b)
	}
	f.TuneGroup("g", GroupTuning{Sample: new(1.0)}, 0)
	f.TuneTarget("a", TargetTuning{Weight: new(9)}, 0)
	a, b := count(10_000)
	near(t, "a with 9 of 10", a, 10_000, .9, 2)
	if a+b != 10_000 {
		t.Errorf("%d of 10000 selected", a+b)
	}
	dropped := f.counted.targets["a"].dropped[dropPaused]
	f.TuneTarget("a", TargetTuning{Paused: new(true)}, 0)
	if a, _ = count(1000); dropped.Get() != uint64(a) || a == 0 {
		t.Errorf("%d dropped of %d while paused: it keeps its share", dropped.Get(), a)
	}
	f.TuneTarget("a", TargetTuning{Paused: new(false), Rate: new(1e-9)}, 0)
	a, _ = count(1000)
	if n := f.counted.targets["a"].dropped[dropRate].Get(); n != uint64(a)-1 {
		t.Errorf("%d of %d over the rate", n, a)
	}
}
