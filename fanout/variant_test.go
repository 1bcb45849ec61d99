package fanout

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/mirrorgate/mirrorgate/codec"
)

// Each target gets the request by its own rules; targets whose rules are equal share a
// copy, whose every byte is given back in the end.
func TestVariants(t *testing.T) {
	type got struct{ path, env, secret, trace string }
	var mu sync.Mutex
	arrived := map[string]got{} // by target
	specs := []string{"", ",group=g", ",set-header=X-Env:two%2C%20and+X-More:x", ",del-header=x-secret", ",rewrite=/api/=/v2/api/", ",del-header=x-secret"}
	for i, spec := range specs {
		name := string(rune('a' + i))
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			arrived[name] = got{r.URL.Path, r.Header.Get("X-Env"), r.Header.Get("X-Secret"), r.Header.Get("Traceparent")}
		}))
		defer server.Close()
		specs[i] = name + "=" + server.URL + spec
	}
	send := func(trace Trace, variants int) map[string]got {
		t.Helper()
		f := newFanout(t, func(c *Config) { c.SetHeaders, c.Trace = []Header{{Name: "X-Env", Value: "all"}}, trace }, specs...)
		if n := len(f.plan.Load().variants); n != variants {
			t.Errorf("there are %d variants, want %d", n, variants)
		}
		f.Submit([]codec.Request{request("GET", "/api/x", "", "host", "h", "x-secret", "s", "traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")})
		drain(t, f)
		mu.Lock()
		defer mu.Unlock()
		sent := arrived
		arrived = map[string]got{}
		if len(sent) != len(specs) {
			t.Errorf("%d targets got it, want %d", len(sent), len(specs))
		}
		return sent
	}
	const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
	sent := send(0, 4)
	for name, want := range map[string]got{
		"a": {"/api/x", "all", "s", trace}, "b": {"/api/x", "all", "s", trace}, "c": {"/api/x", "two, and", "s", trace},
		"d": {"/api/x", "all", "", trace}, "e": {"/v2/api/x", "all", "s", trace}, "f": {"/api/x", "all", "", trace},
	} {
		if sent[name] != want {
			t.Errorf("%s got %+v, want %+v", name, sent[name], want)
		}
	}
	// With --trace new, no two targets share a trace.
	traces := map[string]bool{}
	for name, g := range send(1, 1+len(specs)) {
		if traces[g.trace] || len(g.trace) != len(trace) || g.trace == trace || g.trace[len(trace)-3:] != "-00" {
			t.Errorf("%s got the trace %q", name, g.trace)
		}
		traces[g.trace] = true
	}
}
