package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// startBrief starts a server that keeps idle connections only briefly, so that a
// probe need not watch one for long.
func startBrief(t *testing.T) string {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		io.WriteString(w, "ok")
	}))
	server.Config.IdleTimeout = 2 * time.Second // none of its requests comes so late after another
	server.Start()
	t.Cleanup(server.Close)
	return server.URL
}

// The plan is said first, and apart from the report; the report ends with options
// that a start takes.
func TestProbe(t *testing.T) {
	url := startBrief(t)
	f := func(options, line string) {
		t.Helper()
		t.Run(options, func(t *testing.T) {
			t.Parallel()
			probeRecommends(t, url, strings.Fields(options), strings.ReplaceAll(line, "URL", url))
		})
	}
	f("", "--target URL,batch=1")
	f("--writes", "--target URL,batch=16")
	f("--writes --host www.example.com --tls-insecure", "--tls-insecure --target URL,batch=16")
}

func probeRecommends(t *testing.T, url string, options []string, line string) {
	code, stdout, stderr := mirrorgate(t, nil, append([]string{"probe", url + "/health"}, options...)...)
	if code != 0 || !strings.HasPrefix(stderr, "Sending up to ") || strings.Count(stderr, "\n") != 1 {
		t.Fatalf("exit code %d and\n%s", code, stderr)
	}
	if !strings.Contains(stdout, "\n    mirrorgate "+line+"\n") {
		t.Errorf("got\n%swant %s", stdout, line)
	}
	if code, _, stderr = mirrorgate(t, nil, append([]string{"check"}, strings.Fields(line)...)...); code != 0 {
		t.Errorf("what it recommends is wrong: %s", stderr)
	}
}

// Programs get all of it as JSON.
func TestProbeJSON(t *testing.T) {
	url := startBrief(t)
	code, stdout, _ := mirrorgate(t, nil, "probe", url, "--json")
	var report struct {
		Target     string
		Pipelining struct{ GETs struct{ Verdict string } }
	}
	if err := json.Unmarshal([]byte(stdout), &report); err != nil || code != 0 {
		t.Fatalf("exit code %d, %v:\n%s", code, err, stdout)
	}
	if report.Target != "--target "+url+",batch=1" || report.Pipelining.GETs.Verdict != "right" {
		t.Errorf("got %s", stdout)
	}
}

// A target that is not there is exit status 1 and one line.
func TestProbeNobody(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	code, stdout, stderr := mirrorgate(t, nil, "probe", server.URL)
	plan, failure, _ := strings.Cut(stderr, "\n")
	want := "mirrorgate: cannot mirror to " + server.URL + ": dial tcp " + server.Listener.Addr().String() + ": connect: connection refused\n"
	if code != exitFailed || stdout != "" || !strings.HasPrefix(plan, "Sending up to ") || failure != want {
		t.Errorf("exit code %d and\n%s%swant\n%s", code, stdout, stderr, want)
	}
}
