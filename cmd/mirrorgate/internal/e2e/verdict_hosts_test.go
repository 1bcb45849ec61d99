package e2e

import (
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/mirrorgate/mirrorgate/cmd/internal/haproxy"
	"github.com/mirrorgate/mirrorgate/fanout/compare/tally"
	"github.com/mirrorgate/mirrorgate/fanout/compare/verdict"
)

// startSharedProxy runs HAProxy with two filters: one for two agents that share the
// requests, one for an agent that gets all.
func startSharedProxy(t *testing.T, origin string, a, b, all *agent) (addr string) {
	t.Helper()
	listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	filters := "    filter spoe engine mirror config spoe.cfg\n    filter spoe engine mirrorx config spoe.cfg\n"
	shared := fmt.Sprintf(agentBackend, "mirroragents", a.spop) + fmt.Sprintf("    server other %s check inter 1s fall 2\n", b.spop)
	h, err := haproxy.Start(t.Context(), map[string]string{
		"haproxy.cfg": fmt.Sprintf(proxyConfig, filters, origin) + shared + fmt.Sprintf(agentBackend, "mirroragentsx", all.spop),
		"spoe.cfg":    sizedSPOE + strings.NewReplacer("[mirror]", "[mirrorx]", "mirroragents", "mirroragentsx").Replace(sizedSPOE),
	}, listener)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Stop)
	return listener.Addr().String()
}

// sums returns what the agent counted of v2, once that are so many pairs.
func (a *agent) sums(pairs int64) *tally.Summary {
	a.t.Helper()
	var s tally.Summary
	eventually(a.t, fmt.Sprintf("%d requests are compared", pairs), func() bool {
		_, text := a.get("/api/compare?target=v2")
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			a.t.Fatal(err)
		}
		return s.Whole().Results.Pairs()+s.UnpairedPairs() >= pairs
	})
	return &s
}

// Two agents behind one HAProxy count together what one counts that gets all of the
// traffic, to the last pair, and the verdict over both is the same.
func TestVerdictOfTwoHosts(t *testing.T) {
	const total = 2000
	v1, v1b, v2 := serveVersion(t, nil), serveVersion(t, nil), serveVersion(t, wrongPrice)
	a, b, all := startVersions(t, v1, v1b, v2), startVersions(t, v1, v1b, v2), startVersions(t, v1, v1b, v2)
	addr := startSharedProxy(t, strings.TrimPrefix(v1.url, "http://"), a, b, all)
	// Where a busy machine keeps a request back for a second there is one pair less, at
	// the one or at the other, so that there is nothing to be compared: once more.
	var want, sum *tally.Summary
	for attempt := 0; attempt == 0 || len(want.Unpaired)+len(sum.Unpaired) > 0; attempt++ {
		if attempt == 10 {
			t.Fatalf("there is always a request without its pair: %v, %v", want.Unpaired, sum.Unpaired)
		}
		for _, agent := range []*agent{a, b, all} {
			agent.post("/api/verdict/fresh?target=v2")
		}
		before := a.value("mirrorgate_requests_received_total")
		c := newCrowd(addr)
		c.run(4, upTo(total), shopping)
		c.unharmed(t)
		want = all.sums(total)
		received := int64(a.value("mirrorgate_requests_received_total") - before)
		sum = a.sums(received)
		if err := sum.Merge(b.sums(total - received)); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := plainSums(t, sum), plainSums(t, want); got != want {
		t.Errorf("two agents counted\n%s\nand one\n%s", got, want)
	}
	ask := func(admin string) (code int, v verdict.Verdict) {
		t.Helper()
		code, stdout, stderr := mirrorgate(t, nil, "verdict", "v2", "--json", "--tolerance", "0.01%", "--admin", admin)
		if err := json.Unmarshal([]byte(stdout), &v); err != nil {
			t.Fatalf("%v: exit code %d, %s", err, code, stderr)
		}
		return code, v
	}
	code, both := ask(a.admin + "," + b.admin)
	wantCode, one := ask(all.admin)
	if code != wantCode || both.Verdict != one.Verdict || both.Excess != one.Excess || both.Pairs != total || both.Hosts != 2 || one.Hosts != 1 {
		t.Errorf("two agents say %d %+v\nand one %d %+v", code, both, wantCode, one)
	}

	if code, stdout, _ := mirrorgate(t, nil, "verdict", "v2", "--fresh", "--admin", a.admin+","+b.admin); code != 3 || !strings.Contains(stdout, "not yet: 0 pairs") {
		t.Errorf("after --fresh: exit code %d, %s", code, stdout)
	}

	// A host that does not respond holds up a verdict that all is well, no other.
	_, v := ask(a.admin + "," + b.admin + ",127.0.0.1:1")
	if !strings.Contains(strings.Join(v.Why, "; "), "no response from 127.0.0.1:1") {
		t.Errorf("of the host that is down it says %q", v.Why)
	}
}

// plainSums are sums without what depends on the moment and the machine.
func plainSums(t *testing.T, s *tally.Summary) string {
	t.Helper()
	s.Settle()
	type route struct {
		Name                string
		Results, Noise      tally.Results
		Explained           int64
		Excess              tally.Counts
		Fields              []tally.Field
		Reference, Response int64
	}
	var routes []route
	for _, r := range s.Routes {
		routes = append(routes, route{r.Name, r.Results, r.Noise, r.Explained, r.Excess, r.Fields, r.Reference.Count(), r.Target.Count()})
	}
	text, err := json.MarshalIndent([]any{s.Unpaired, routes}, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
