package admin

import (
	"encoding/json"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// history as the page reads it.
type pastLines struct {
	Start time.Time
	From  int64
	Tick  int64
	Lines map[string][]*float64
}

func past(t *testing.T, s *Server, query string) (p pastLines) {
	t.Helper()
	if err := json.Unmarshal([]byte(get(t, s, "/api/history"+query)), &p); err != nil {
		t.Fatal(err)
	}
	return p
}

// expect compares a line; -1 stands for a point that is not there.
func (p pastLines) expect(t *testing.T, name string, want ...float64) {
	t.Helper()
	var got []float64
	for _, v := range p.Lines[name] {
		if v == nil {
			got = append(got, -1)
			continue
		}
		got = append(got, *v)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s from tick %d to %d is %v, want %v", name, p.From, p.Tick, got, want)
	}
}

// A page that is opened now shows the seconds before, and later only asks for
// those that it has not.
func TestHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, "a=http://127.0.0.1:1,group=g,sample=50%")
		stop := make(chan struct{})
		defer close(stop)
		go s.history.run(stop)
		second := func(received, late int) {
			s.count("mirrorgate_requests_received_total", received)
			s.count(`mirrorgate_target_dropped_total{target="a",reason="stale"}`, late)
			time.Sleep(time.Second)
			synctest.Wait()
		}
		time.Sleep(time.Millisecond) // so that each second has one tick inside
		second(10, 0)
		second(1234567, 0)
		second(0, 3)

		p := past(t, s, "")
		if p.From != 1 || p.Tick != 3 || !p.Start.Equal(s.history.start) {
			t.Errorf("it starts %v with ticks %d to %d, want %v, 1 and 3", p.Start, p.From, p.Tick, s.history.start)
		}
		p.expect(t, "received", 10, 1235000, 0)
		p.expect(t, "target/a/drops/stale", 0, 0, 3)
		p.expect(t, "target/a/drops/rate") // was 0 all the time
		p.expect(t, "target/a/p99", -1, -1, -1)
		p.expect(t, "group/g/sample", 0.5, 0.5, 0.5)
		past(t, s, "?after=2").expect(t, "target/a/drops/stale", 3)
		past(t, s, "?after=3").expect(t, "group/g/sample")
		past(t, s, "?after=1000").expect(t, "target/a/drops/stale", 0, 0, 3) // a tick of an earlier life
	})
}

// Whatever runs for long, and whatever targets come and go, the history does not
// grow.
func TestHistoryIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, "a=http://127.0.0.1:1", "b=http://127.0.0.1:1")
		for range 2 * historyTicks {
			s.history.take()
		}
		lines := len(s.history.lines)
		if p := past(t, s, ""); p.Tick-p.From+1 != historyTicks || len(p.Lines["group/a/sample"]) != historyTicks {
			t.Errorf("%d points from %d to %d, want %d", len(p.Lines["group/a/sample"]), p.From, p.Tick, historyTicks)
		}
		cfg := fanoutConfig(t, "a=http://127.0.0.1:1", "c=http://127.0.0.1:1")
		cfg.Metrics = s.cfg.Metrics
		if err := s.fanout.Reload(cfg); err != nil {
			t.Fatal(err)
		}
		s.history.take()
		p := past(t, s, "")
		if b := p.Lines["group/b/sample"]; b[historyTicks-2] == nil || b[historyTicks-1] != nil {
			t.Error("the line of a target that has gone does not end where it went")
		}
		if c := p.Lines["group/c/sample"]; c[historyTicks-2] != nil || c[historyTicks-1] == nil {
			t.Error("the line of a new target does not start where it came")
		}
		for range historyTicks {
			s.history.take()
		}
		if got := len(s.history.lines); got != lines {
			t.Errorf("%d lines after a target was replaced, want %d", got, lines)
		}
		if n := len(s.history.recent); n != windowTicks+1 {
			t.Errorf("%d readings are kept, want %d", n, windowTicks+1)
		}
	})
}

func TestHistoryRefuses(t *testing.T) {
	s := newServer(t, "a=http://127.0.0.1:1")
	for _, query := range []string{"?after=x", "?after=-1", "?after=1.5"} {
		if status, response := ask(s, "GET", "/api/history"+query, ""); status != 400 {
			t.Errorf("%s answers %d and %s", query, status, response)
		}
	}
}
