package admin

import (
	"encoding/json"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func statsOf(t *testing.T, s *Server) (stats Stats) {
	t.Helper()
	if err := json.Unmarshal([]byte(get(t, s, "/api/stats")), &stats); err != nil {
		t.Fatal(err)
	}
	return stats
}

func TestStats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, twoGroups...)
		time.Sleep(2 * time.Second)
		s.count("mirrorgate_requests_received_total", 20)
		s.count(`mirrorgate_target_sent_total{target="a"}`, 6)
		s.count(`mirrorgate_target_responses_total{target="a",code="2xx"}`, 4)
		s.count(`mirrorgate_target_errors_total{target="a",kind="timeout"}`, 2)
		duration := s.cfg.Metrics.GetOrCreatePrometheusHistogram(`mirrorgate_target_duration_seconds{target="a"}`)
		for range 4 {
			duration.Update(0.0008)
		}
		stats := statsOf(t, s)
		f := func(what string, got, want any) {
			t.Helper()
			if got != want {
				t.Errorf("%s is %v, want %v", what, got, want)
			}
		}
		f("version", stats.Version, "v1.2.3")
		f("ready", stats.Ready, true)
		f("uptime", stats.Uptime, 2.0)
		f("received", stats.Received, Flow{20, 10})
		f("ACK p99 without the metric", stats.ACK.P99 == nil, true)
		f("memory limit", stats.Memory.Limit, int64(64<<20))
		f("resident memory above 1 MB", stats.Memory.Resident > 1e6, true)
		f("groups", len(stats.Groups), 2)
		f("sample", stats.Groups[1].Sample, 0.5)
		a, b := stats.Groups[1].Targets[0], stats.Groups[1].Targets[1]
		f("a", a.Name, "a")
		f("weight of a", a.Weight, 3)
		f("sent", a.Sent, Flow{6, 3})
		f("2xx", a.Responses["2xx"], int64(4))
		f("2xx/s", a.ResponseRate["2xx"], 2.0)
		f("5xx are there, at zero", slices.Contains(keysOf(a.Responses), "5xx"), true)
		f("timeouts/s", a.ErrorRate["timeout"], 1.0)
		f("p50 of a", *a.Latency.P50, 0.00075)
		f("rate of b", b.RateLimit, 20.0)
		f("p50 of b", b.Latency.P50 == nil, true)
		f("queue of b", b.QueueLimit, int64(8192))
	})
}

func keysOf(m map[string]int64) (keys []string) {
	for k := range m {
		keys = append(keys, k)
	}
	return keys
}

// Rates are over five seconds, not over all that ever was.
func TestStatsWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, twoGroups...)
		s.count("mirrorgate_requests_received_total", 1000)
		for range 2 * windowTicks {
			time.Sleep(tickEvery)
			s.history.take()
		}
		s.count("mirrorgate_requests_received_total", 10)
		if stats := statsOf(t, s); stats.Received != (Flow{1010, 2}) || stats.Window != 5 {
			t.Errorf("received %v over %v seconds, want 1010 in all and 2/s over 5", stats.Received, stats.Window)
		}
	})
}

// Each reason for which fanout drops has its words.
func TestDropTexts(t *testing.T) {
	s := newServer(t, twoGroups...)
	for reason := range statsOf(t, s).Groups[0].Targets[0].Dropped {
		if dropTexts[reason] == "" {
			t.Errorf("there are no words for requests that are dropped as %s", reason)
		}
	}
}
