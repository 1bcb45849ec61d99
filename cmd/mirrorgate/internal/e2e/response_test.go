package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/readings"
)

// statusServer answers with the status that the query has under the key; 200
// if it has none.
func statusServer(t *testing.T, key string) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if status, err := strconv.Atoi(r.URL.Query().Get(key)); err == nil {
			w.WriteHeader(status)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// After the response the statuses are compared, exactly; a target that hangs is
// nothing to production, nor to the other target.
func TestHAProxyComparesAnswers(t *testing.T) {
	origin, target, hangs := statusServer(t, "origin"), statusServer(t, "target"), serveRecorder(t, &recorder{mute: true})
	a := startAgent(t, "--target", "new="+target.URL, "--target", "hangs="+hangs.url()+",timeout=1m", "--log-differences", "--drain", "1s")
	addr := startPrinted(t, origin.Listener.Addr().String(), "--event=response", "--agents", a.spop)

	paths := []string{
		"/same?origin=404&target=404", "/same?origin=503&target=503",
		"/differs?token=s3cret&origin=200&target=404", "/primary?origin=500&target=200", "/mirror?origin=201&target=502",
	}
	const clients, total = 20, 200
	c := newCrowd(addr)
	c.run(clients, upTo(total), func(n int64, req *fasthttp.Request) {
		req.SetRequestURI("http://example.com" + paths[n%int64(len(paths))])
	})
	answered := map[string]int{"404": 40, "503": 40, "500": 40, "201": 40}
	for status, n := range c.failed { // whatever is not 200
		if answered[status] != n {
			t.Errorf("production answered %d times %s, want %v", n, status, answered)
		}
	}
	if len(c.failed) != len(answered) || len(c.spoe) > 0 {
		t.Errorf("production answered %v, with errors of SPOE %v; want %v", c.failed, c.spoe, answered)
	}
	const family = "mirrorgate_compare_total"
	eventually(t, "all responses are compared", func() bool { return a.counters().Count(family) == total })
	counters := a.counters()
	if got := counters.By("result", family, readings.Target("new")); fmt.Sprint(got) != "map[same_status:80 status:120]" {
		t.Errorf("compared: %v", got)
	}
	if got := counters.Count("mirrorgate_compare_duration_difference_seconds_count", readings.Target("new")); got != total {
		t.Errorf("%d times compared, want %d", got, total)
	}
	if got := counters.Count("mirrorgate_target_sent_total", readings.Target("hangs")) + counters.Count(family, readings.Target("hangs")); got != 0 {
		t.Errorf("%d requests have ended at the target that hangs", got)
	}
	checkDifferences(t, a)
}

// checkDifferences looks at what the admin server and the log say of them.
func checkDifferences(t *testing.T, a *agent) {
	t.Helper()
	_, body := a.get("/api/differences")
	var page struct {
		Differences []struct {
			Target, Result, Method, Path, ID string
			Primary, Mirror                  struct {
				Status  int
				Seconds *float64
			}
		}
	}
	if err := json.Unmarshal([]byte(body), &page); err != nil {
		t.Fatal(err)
	}
	want := []string{"/differs 200 404", "/primary 500 200", "/mirror 201 502"}
	seen, ids := map[string]bool{}, map[string]bool{}
	for _, d := range page.Differences {
		got := fmt.Sprint(d.Path, " ", d.Primary.Status, " ", d.Mirror.Status)
		if !slices.Contains(want, got) || d.Result != "status" || d.Target != "new" || d.Method != "GET" {
			t.Errorf("difference: %+v", d)
		}
		if d.ID == "" || ids[d.ID] || d.Primary.Seconds == nil || d.Mirror.Seconds == nil {
			t.Errorf("id or times of a difference are wrong: %+v", d)
		}
		seen[got], ids[d.ID] = true, true
	}
	if len(seen) != len(want) || len(page.Differences) < 64 {
		t.Errorf("%d differences, of %v", len(page.Differences), seen)
	}
	lines := a.log.all("answers differ")
	if len(lines) == 0 || strings.Contains(a.log.String()+body, "s3cret") {
		t.Errorf("%d lines of the log tell of differences, and no secret may: %s", len(lines), a.log)
	}
}

// What goes out after the response is what came with the request, to the byte.
func TestHAProxyMirrorsAfterTheResponse(t *testing.T) {
	origin, target := startRecorder(t), startRecorder(t)
	a := startAgent(t, "--target", target.url(), "--forwarded-for", "append")
	addr := startPrinted(t, origin.addr(), "--event=response", "--agents", a.spop)
	body := "\x00\r\n\xff" + bodyOf(13_996)
	f := func(request, line, headers, body string) {
		t.Helper()
		before := target.count()
		if status, header := sendRaw(t, addr, request); status != http.StatusOK || header.Get("spoe-error") != "" {
			t.Errorf("production answered %d, error of SPOE %q", status, header.Get("spoe-error"))
		}
		eventually(t, "the target got the request", func() bool { return target.count() > before })
		got := target.all()[before]
		if text := strings.Join(got.headers, "\n"); got.line != line || text != headers+"\nX-Mirrored-By: mirrorgate" || got.body != body {
			t.Errorf("target got %s\n%s\nwith %d bytes, want %s\n%s\nwith %d", got.line, text, len(got.body), line, headers, len(body))
		}
	}
	f("GET /a?b=c%20d HTTP/1.1\r\nHost: example.com\r\nX-Twice: 1\r\nX-Twice: 2\r\n\r\n", "GET /a?b=c%20d HTTP/1.1",
		"host: example.com\nx-twice: 1\nx-twice: 2\nx-forwarded-for: 127.0.0.1", "")
	f("POST /p HTTP/1.1\r\nHost: example.com\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 192.0.2.2\r\nContent-Length: 14000\r\n\r\n"+body,
		"POST /p HTTP/1.1", "host: example.com\ncontent-length: 14000\nx-forwarded-for: 192.0.2.1, 192.0.2.2, 127.0.0.1", body)
	f("PUT /c HTTP/1.1\r\nHost: example.com\r\nTransfer-Encoding: chunked\r\n\r\n"+chunked(body, 3000),
		"PUT /c HTTP/1.1", "host: example.com\nx-forwarded-for: 127.0.0.1\ncontent-length: 14000", body)
	a.atRest(3, oneTarget)
}

// The request itself does not wait for the agent, only its response does, and only
// for the ACK.
func TestHAProxyAnswerWaitsForTheAck(t *testing.T) {
	origin, h := startRecorder(t), startHeldAgent(t)
	addr := startPrinted(t, origin.addr(), "--event=response", "--agents", h.addr)
	answered := make(chan int, 1)
	go func() {
		status, _ := sendRaw(t, addr, "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n")
		answered <- status
	}()
	<-h.notified
	if n := origin.count(); n != 1 {
		t.Errorf("the origin has seen %d requests before the ACK, want 1", n)
	}
	select {
	case status := <-answered:
		t.Errorf("the response %d did not wait for the ACK", status)
	default:
	}
	close(h.release)
	if status := <-answered; status != http.StatusOK {
		t.Errorf("the response is %d", status)
	}
}
