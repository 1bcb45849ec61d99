package admin

import (
	"slices"
	"testing"
	"time"

	"github.com/mirrorgate/mirrorgate/engine"
)

func TestNotes(t *testing.T) {
	f := func(change func(*Stats), want ...Note) {
		t.Helper()
		s := Stats{Ready: true, Window: 5, Connections: 3, Received: Flow{Rate: 100}, Groups: []GroupStats{{Targets: []TargetStats{{Name: "a"}, {Name: "b"}}}}}
		s.Groups[0].Targets[1].Selected.Rate, s.Groups[0].Targets[1].Sent.Rate = 100, 100
		change(&s)
		if got := notesOn(&s); !slices.Equal(got, want) {
			t.Errorf("it says %q, want %q", got, want)
		}
	}
	a := func(s *Stats) *TargetStats { return &s.Groups[0].Targets[0] }
	b := func(s *Stats) *TargetStats { return &s.Groups[0].Targets[1] }
	rates := func(reason string, rate float64) map[string]float64 {
		return map[string]float64{reason: rate, "other_reason": 0}
	}
	good := Note{"good", "Every target takes all that is meant for it."}
	stopping := Note{"warn", "Stopping: what is queued is being sent."}
	f(func(s *Stats) {}, good)
	f(func(s *Stats) { s.Ready = false }, stopping)
	f(func(s *Stats) { s.RejectRate = rates("truncated", 1.25) }, Note{"warn",
		"Rejecting 1.2/s (1.25 %) of what HAProxy sends, as truncated: HAProxy did not send the whole body: mirrorgate help haproxy, larger bodies."})
	f(func(s *Stats) { s.RejectRate = rates("loop", 50) }, Note{"bad",
		"Rejecting 50/s (50 %) of what HAProxy sends, as loop: they come back: is a target production, or does one send to it? mirrorgate doctor --config tells."})

	// Nothing that is wrong elsewhere hides that there are no requests.
	idle := Note{"warn", "No requests from HAProxy, but it is connected: do any meet the condition of its event? mirrorgate doctor on its host tells."}
	f(func(s *Stats) { s.Received.Rate = 0 }, idle)
	f(func(s *Stats) { s.Received.Rate, s.Ready = 0, false }, stopping, idle)
	f(func(s *Stats) { s.Received.Rate, s.Connections = 0, 0 },
		Note{"warn", "No requests and no connection from HAProxy: is its server of this address up? mirrorgate doctor on its host tells."})
	ignored := []IgnoredStats{{Message: "mirror", Arguments: []string{"arg_methd", "arg_pth"}, Total: 198, Recent: true}, {Message: "old"}}
	const names = `Ignoring HAProxy's message "mirror" (198 so far): it carries neither arg_method nor arg_path, but arg_methd, arg_pth.`
	f(func(s *Stats) { s.Ignored = ignored }, Note{"warn", names})
	f(func(s *Stats) { s.Ignored, s.Received.Rate = ignored, 0 }, Note{"bad", names},
		Note{"warn", "No requests from HAProxy that could be mirrored: mirrorgate doctor on its host finds the argument."})

	f(func(s *Stats) { b(s).DropRate = map[string]float64{"stale": 0.01, "queue_full": 33.3} },
		Note{"warn", "b drops 33/s (33.3 %) of its requests: its queue is full (33/s), they waited longer than max-age (0.1/s)."})
	f(func(s *Stats) { b(s).DropRate = rates("queue_full", 33.3) }, Note{"warn", "b drops 33/s (33.3 %) of its requests: its queue is full."})
	f(func(s *Stats) { a(s).DropRate = rates("stale", 7) }, Note{"warn", "a drops 7/s of its requests: they waited longer than max-age."}) // of earlier ones
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.Local)
	failure := &Failure{Kind: "dial", Reason: "connection refused", Since: at}
	f(func(s *Stats) { b(s).BreakerOpen = true }, Note{"bad", "b: its breaker is open."})
	f(func(s *Stats) { b(s).BreakerOpen, b(s).LastFailure = true, failure },
		Note{"bad", "b: its breaker is open (connection refused, since 03:04:05)."})
	f(func(s *Stats) { b(s).BreakerOpen, b(s).DropRate, b(s).LastFailure = true, rates("breaker", 7), failure },
		Note{"bad", "b drops 7/s (7 %) of its requests: its breaker is open (connection refused, since 03:04:05)."})
	f(func(s *Stats) {
		b(s).BreakerOpen, b(s).DropRate, b(s).LastFailure = true, map[string]float64{"breaker": 7, "dial": 1}, failure
	},
		Note{"bad", "b drops 8/s (8 %) of its requests: its breaker is open (7/s), it cannot be reached (connection refused, since 03:04:05) (1/s)."})
	f(func(s *Stats) { b(s).Paused = true }, Note{"warn", "b is paused."})
	f(func(s *Stats) { b(s).Paused, b(s).PausedUntil, b(s).DropRate = true, &at, rates("paused", 7) },
		Note{"warn", "b drops 7/s (7 %) of its requests: it is paused until 03:04:05."})
	f(func(s *Stats) { b(s).ErrorRate, b(s).LastFailure = rates("timeout", 20), failure },
		Note{"bad", "b fails with 20/s (20 %) of its requests: timeout."})
	f(func(s *Stats) { b(s).Single = true }, Note{"warn", "b does not pipeline: it gets one request at a time until the next reload."})
	f(func(s *Stats) { b(s).Single, b(s).SingleUntil = true, &at }, Note{"warn", "b does not pipeline: it gets one request at a time until 03:04:05."})
	f(func(s *Stats) {
		b(s).Against, b(s).CompareRate = "production", map[string]float64{"same_status": 20, "status": 3, "error": 1}
	}, Note{"warn", "b responds to 3/s unlike production: see /api/differences."})

	compared := func(noise string, differs, noisy float64, want ...Note) {
		t.Helper()
		f(func(s *Stats) {
			b(s).Against, b(s).Noise = "a", noise
			b(s).CompareRate = map[string]float64{"same": 90 - differs, "uncompared": 10, "header": differs}
			if noisy >= 0 {
				b(s).NoiseRate = map[string]float64{"same": 100 - noisy, "body": noisy}
			}
		}, want...)
	}
	compared("", 0, -1, good)
	compared("", 1.5, -1, Note{"warn", "b differs from a in 1.5 % of its pairs: mirrorgate verdict b says where."})
	compared("a2", 1.5, 1, Note{"warn", "b differs from a in 1.5 % of its pairs, a2 from a in 1 %: mirrorgate verdict b says where."})
	compared("a2", 50, 50, good)
	compared("a2", 50, -1, Note{"warn", "b differs from a in 50 % of its pairs: mirrorgate verdict b says where."})

	// The worst comes first.
	f(func(s *Stats) { s.Ready, b(s).ErrorRate = false, rates("reset", 20) }, Note{"bad", "b fails with 20/s (20 %) of its requests: reset."}, stopping)
}

func TestClassNotes(t *testing.T) {
	type rates = map[string]float64
	f := func(a, b rates, compared bool, want ...Note) {
		t.Helper()
		s := Stats{Ready: true, Window: 5, Received: Flow{Rate: 100}, Groups: []GroupStats{{Targets: []TargetStats{{Name: "a", ResponseRate: a}}},
			{Targets: []TargetStats{{Name: "b", ResponseRate: b}}}}}
		if compared {
			s.Groups[1].Targets[0].CompareRate = rates{"same_status": 100}
		}
		if want == nil {
			want = []Note{{"good", "Every target takes all that is meant for it."}}
		}
		if got := notesOn(&s); !slices.Equal(got, want) {
			t.Errorf("of %v and %v it says %q, want %q", a, b, got, want)
		}
	}
	const advice = ": does it expect credentials (set-header), or another Host (host=target)?"
	f(nil, nil, false)
	f(rates{"2xx": 100}, rates{"2xx": 100}, false)
	f(rates{"2xx": 100}, rates{"4xx": 100}, false, Note{"bad", "b responds with 4xx to 100/s (100 %) of its requests, other targets to 0 % at most" + advice})
	f(rates{"2xx": 90, "4xx": 10}, rates{"2xx": 75, "4xx": 25}, false)
	f(rates{"2xx": 90, "4xx": 10}, rates{"2xx": 65, "4xx": 35}, false, Note{"warn", "b responds with 4xx to 35/s (35 %) of its requests, other targets to 10 % at most" + advice})
	f(rates{"4xx": 100}, rates{"4xx": 100}, false) // then it is production's
	f(nil, rates{"4xx": 100}, false, Note{"bad", "b responds with 4xx to 100/s (100 %) of its requests" + advice})
	f(nil, rates{"2xx": 60, "4xx": 40}, false)
	f(nil, rates{"2xx": 10, "3xx": 90}, false)
	f(nil, rates{"3xx": 100}, false, Note{"bad", "b responds with 3xx to 100/s (100 %) of its requests: does it redirect to another host, or to https? Then host=target may help."})
	f(nil, rates{"4xx": 1.9}, false) // nine responses
	f(nil, rates{"4xx": 100}, true)  // comparing tells better
	f(nil, rates{"2xx": 97, "5xx": 3}, true, Note{"warn", "b responds with 5xx to 3/s (3 %) of its requests: its own log tells."})
	f(rates{"2xx": 100}, rates{"5xx": 100}, false, Note{"bad", "b responds with 5xx to 100/s (100 %) of its requests, other targets to 0 % at most: its own log tells."})
	f(nil, rates{"2xx": 99, "other": 1}, false, Note{"warn", "b responds with other to 1/s (1 %) of its requests: these are status codes above 599."})
}

// Each reason for which requests are rejected has its words.
func TestRejectTexts(t *testing.T) {
	for reason := range statsOf(t, newServer(t, twoGroups...)).Rejected {
		if rejectTexts[reason] == "" {
			t.Errorf("there are no words for requests that are rejected as %s", reason)
		}
	}
}

// What the engine ignores is among the figures, and recent while it goes on.
func TestStatsOfIgnored(t *testing.T) {
	s := newServer(t, twoGroups...)
	now := time.Now()
	s.ignored = func() []engine.IgnoredMessage {
		return []engine.IgnoredMessage{{Name: "mirror", Args: []string{"arg_pth"}, Count: 7, Last: now}, {Name: "old", Count: 1, Last: now.Add(-time.Hour)}}
	}
	ignored := statsOf(t, s).Ignored
	if len(ignored) != 2 || ignored[0].Message != "mirror" || ignored[0].Total != 7 || !slices.Equal(ignored[0].Arguments, []string{"arg_pth"}) {
		t.Errorf("ignored are %+v", ignored)
	}
	if !ignored[0].Recent || ignored[1].Recent {
		t.Errorf("of %+v the first is recent, the second is not", ignored)
	}
}
