package console

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/admin"
)

// Several hosts are one table: what can be added up is, of all else the worst is shown.
func TestMerge(t *testing.T) {
	seconds := func(s float64) *float64 { return &s }
	rates := func(name string, rate float64) map[string]float64 { return map[string]float64{name: rate} }
	of := func(effective, sent float64, p99 *float64, drops map[string]float64, more ...admin.TargetStats) instance {
		target := admin.TargetStats{Name: "a", Selected: admin.Flow{Rate: 100}, Sent: admin.Flow{Rate: sent}, ResponseRate: rates("2xx", sent),
			DropRate: drops, Latency: admin.Latency{P99: p99}, Queue: 2, QueueLimit: 10}
		return instance{address: "h", stats: admin.Stats{Groups: []admin.GroupStats{{Name: "v2", Sample: 1, Effective: effective, Targets: append(more, target)}}}}
	}
	first, second := of(1, 100, seconds(0.1), nil), of(0.5, 50, seconds(0.2), rates("stale", 50), admin.TargetStats{Name: "b", QueueLimit: 10})
	var b bytes.Buffer
	writeTargets(&b, merge([]instance{first, second, {err: errors.New("gone")}}))
	want := `TARGET  SAMPLE  EFFECT  SENT/S  P50    P99  CLASS  ERR  DROP  QUEUE
v2        100%     50%
  a                        150    -  200ms    2xx    0   25%   4/20
  b                          0    -      -      -    0     0   0/10
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
	if first.stats.Groups[0].Targets[0].Sent.Rate != 100 {
		t.Error("what a host said was changed")
	}
}

func TestTrouble(t *testing.T) {
	f := func(target admin.TargetStats, err error, want string) {
		t.Helper()
		got := ""
		h := instance{"h:1", admin.Stats{Groups: []admin.GroupStats{{Targets: []admin.TargetStats{target}}}}, err}
		if err := trouble([]instance{h}); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%+v is trouble: %q, want %q", target, got, want)
		}
	}
	drops := func(reason string, rate float64) map[string]float64 { return map[string]float64{reason: rate} }
	f(admin.TargetStats{}, nil, "")
	f(admin.TargetStats{Name: "a", BreakerOpen: true}, nil, "h:1: the breaker of a is open")
	f(admin.TargetStats{Name: "a", DropRate: drops("stale", 2)}, nil, "h:1: a drops 2.0/s")
	f(admin.TargetStats{Name: "a", DropRate: drops("stale", 0)}, nil, "")
	f(admin.TargetStats{Name: "a", DropRate: drops("paused", 2)}, nil, "")
	f(admin.TargetStats{Name: "a", DropRate: drops("rate", 2)}, nil, "")
	f(admin.TargetStats{}, errors.New("cannot reach it"), "cannot reach it")
}

// What can be had is shown although a host is gone; that is trouble all the same.
func TestAskAll(t *testing.T) {
	serve := func(status int, body string) *admin.Client {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			w.Write([]byte(body))
		}))
		t.Cleanup(server.Close)
		return admin.NewClient(server.URL, "")
	}
	up, down, closed := serve(200, `{"version":"v9"}`), serve(500, "broken"), serve(401, "")
	f := func(want string, clients ...*admin.Client) (hosts []instance) {
		t.Helper()
		hosts, err := askAll(context.Background(), clients)
		if got := ""; err != nil && err.Error() != want || err == nil && want != got {
			t.Errorf("error: %v, want %q", err, want)
		}
		return hosts
	}
	f("", up)
	hosts := f("", up, down)
	if trouble(hosts) == nil || trouble(hosts[:1]) != nil {
		t.Error("trouble is a host that does not respond, and nothing else")
	}
	f("mirrorgate answers 500: broken", down)
	f(closed.Address()+": mirrorgate asks for the token: give the file that holds it with --admin-token-file", up, closed)

	text, err := json.Marshal(hosts)
	if err != nil || !strings.Contains(string(text), `"stats":{`) || !strings.Contains(string(text), `"error":"mirrorgate answers 500: broken"`) {
		t.Errorf("as JSON they are %s, %v", text, err)
	}
}
