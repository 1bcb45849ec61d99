package e2e

import (
	"math"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/readings"
)

// 200 clients and 20,000 requests: production answers all, each arrives once at
// a target that gets everything, and the shares are as configured.
func TestHAProxySharesUnderLoad(t *testing.T) {
	const clients, total = 200, 20_000
	origin := startRecorder(t)
	targets := map[string]*recorder{}
	var options []string
	for _, o := range []struct{ name, keys string }{
		{"all", ""},
		{"a", ",group=v2,weight=3"},
		{"b", ",group=v2,weight=1"},
		{"tenth", ",sample=10%"},
	} {
		targets[o.name] = startRecorder(t)
		options = append(options, "--target", o.name+"="+targets[o.name].url()+o.keys)
	}
	a := startAgent(t, append(options, "--queue", "20000", "--max-age", "60s", "--timeout", "30s")...)
	c := newCrowd(startProxy(t, sizedSPOE, origin.addr(), a))
	c.run(clients, upTo(total), func(n int64, req *fasthttp.Request) {
		if n%4 == 0 {
			req.Header.SetMethod("POST")
			req.SetBodyString(bodyOf(int(n % 3000)))
		}
	})
	c.unharmed(t)
	counters := a.atRest(total, map[string][]string{"all": {"all"}, "v2": {"a", "b"}, "tenth": {"tenth"}})

	for name, target := range targets {
		selected := counters.Count("mirrorgate_target_selected_total", readings.Target(name))
		answered := counters.Count("mirrorgate_target_responses_total", readings.Target(name), readings.Of("code", "2xx"))
		if got := int64(target.count()); got != selected || answered != selected {
			t.Errorf("target %s: %d selected, %d answered, %d arrived; want all the same", name, selected, answered, got)
		}
		onlyOnce(t, name, target.all())
	}
	if got := targets["all"].count(); got != total || origin.count() != total {
		t.Errorf("%d arrived at the target that gets all, %d at the origin, want %d", got, origin.count(), total)
	}
	if got := targets["a"].count() + targets["b"].count(); got != total {
		t.Errorf("%d arrived at the group, want %d", got, total)
	}
	near := func(what string, got, of int, want, points float64) {
		t.Helper()
		if percent := 100 * float64(got) / float64(of); math.Abs(percent-want) > points {
			t.Errorf("%s is %.2f%%, want %v%% within %v points", what, percent, want, points)
		}
	}
	near("the share of a", targets["a"].count(), total, 75, 2)
	near("the sample", targets["tenth"].count(), total, 10, 1)
}

func onlyOnce(t *testing.T, name string, requests []recorded) {
	t.Helper()
	seen := map[string]bool{}
	for _, r := range requests {
		if seen[r.line] {
			t.Errorf("target %s got twice: %s", name, r.line)
		}
		seen[r.line] = true
	}
}
