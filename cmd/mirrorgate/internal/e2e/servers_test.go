//go:build servers

package e2e

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/readings"
)

// realServer is one that is common behind HAProxy.
type realServer struct {
	name     string
	command  string // none for Go's net/http in this process; what is a proxy has that behind it
	url      string // how that of the target begins; none: http://
	static   bool   // serves files, see serveFiles
	confused bool   // gets pipelined requests wrong, even such as RFC 9112 section 9.3.2 allows
}

// realServers keep connections for longer than a test takes: a POST that meets
// the end of its connection on the way is lost, rightly.
func realServers() []realServer {
	return []realServer{
		{name: "Puma", command: "puma -q -e production -t 16:16 -C puma.rb -b tcp://%ADDR% app.ru"},
		{name: "gunicorn sync", command: "gunicorn -b %ADDR% -k sync app:app"},
		{name: "gunicorn gthread", command: "gunicorn -b %ADDR% -k gthread --threads 8 --keep-alive 10 app:app", confused: true},
		{name: "waitress", command: "/usr/bin/python3 -m waitress --listen=%ADDR% app:app"},
		{name: "http.server 1.0", command: "/usr/bin/python3 httpserver.py HTTP/1.0 %ADDR%"},
		{name: "http.server 1.1", command: "/usr/bin/python3 httpserver.py HTTP/1.1 %ADDR%"},
		{name: "Node", command: "node app.js http"},
		{name: "Go"},
		{name: "Apache", command: "apache2 -f %DIR%/apache.conf -DFOREGROUND"},
		{name: "nginx proxy", command: "nginx -p %DIR% -c nginx-proxy.conf"},
		{name: "nginx static", command: "nginx -p %DIR% -c nginx-static.conf", static: true},
		{name: "lighttpd", command: "lighttpd -D -f lighttpd.conf"},
		{name: "HAProxy", command: "haproxy -db -f haproxy.cfg"},
		{name: "Varnish", command: "varnishd -F -j none -a %ADDR% -f %DIR%/varnish.vcl -n %DIR%/varnish -s malloc,64m -p timeout_idle=300"},

		// Over HTTP/2. nginx ends each connection after 50 requests; nginx and h2o allow
		// 16 at a time; HAProxy's windows are of 1000 bytes.
		{name: "Go h2c", url: "h2c://"},
		{name: "Go TLS", url: "https://"},
		{name: "nginx h2c", url: "h2c://", command: "nginx -p %DIR% -c nginx-h2c.conf"},
		{name: "HAProxy h2c", url: "h2c://", command: "haproxy -db -f haproxy-h2c.cfg"},
		{name: "nghttpx", url: "h2c://", command: "nghttpx --conf=/dev/null -f127.0.0.1,%PORT%;no-tls -b%APPHOST%,%APPPORT% --errorlog-file=/dev/stderr --frontend-http2-window-size=1000"},
		{name: "Node h2c", url: "h2c://", command: "node app.js http2"},
		{name: "h2o", url: "h2c://", command: "h2o -c h2o.conf"},
	}
}

// Each server gets a mix of requests, at defaults and at batch=64. Each request
// arrives exactly once, with its own body, and what is counted is what the server
// responded to it; but where a server is confused by batches, it is found soon.
func TestServers(t *testing.T) {
	const total = 2000
	for _, real := range realServers() {
		t.Run(real.name, func(t *testing.T) {
			s := startServer(t, real.command, real.url)
			f := func(setting, keys string, first int) {
				t.Run(setting, func(t *testing.T) {
					requests := mix(first, total)
					if real.static {
						s.serveFiles(t, requests)
					}
					a := startAgent(t, "--target", "t="+cmp.Or(real.url, "http://")+s.addr+keys, "--timeout", "60s", "--max-age", "2m", "--tls-insecure")
					counted := a.mirror(requests)
					outcome := s.outcome(t, requests, real.static)
					if real.confused && keys != "" {
						outcome.checkFound(t, counted)
					} else {
						outcome.checkExact(t, counted)
					}
					a.checkCompared()
					if t.Failed() {
						t.Log(a.log)
					}
				})
			}
			f("defaults", "", 1)
			if real.url == "" {
				f("batch=64", ",batch=64", 1+total)
			} else {
				f("conns=2", ",conns=2", 1+total)
			}
		})
	}
}

// mirror sends requests from three connections, the first ones one by one, the
// others in bursts, and waits until all is done.
func (a *agent) mirror(requests []mixed) readings.Reading {
	a.t.Helper()
	clients := []*mixClient{a.mixClient(), a.mixClient(), a.mixClient()}
	random := rand.New(rand.NewPCG(12, uint64(requests[0].id)))
	for sent, next := 0, 0; sent < len(requests); sent = next {
		next = sent + 1
		if sent >= 50 {
			next = min(sent+1+random.IntN(150), len(requests))
		}
		clients[random.IntN(len(clients))].send(requests[sent:next]...)
		if sent < 50 || random.IntN(2) == 0 {
			a.rested(int64(next))
		}
	}
	return a.atRest(int64(len(requests)), map[string][]string{"t": {"t"}})
}

// rested waits until that many requests were received, and each has its outcome.
func (a *agent) rested(received int64) {
	a.t.Helper()
	eventually(a.t, "all requests have an outcome", func() bool {
		c := a.counters()
		return c.Count("mirrorgate_requests_received_total") == received && c.Pending() == 0
	})
}

// serveFiles has a file for each GET and HEAD that asks for 200, and sets what
// nginx responds then.
func (s *server) serveFiles(t *testing.T, requests []mixed) {
	t.Helper()
	dir := filepath.Join(filepath.Dir(s.log), "static", "200")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for i := range requests {
		m := &requests[i]
		switch m.method {
		case "GET", "HEAD":
			if m.status != 200 {
				m.status = 404
			} else if err := os.WriteFile(filepath.Join(dir, strconv.Itoa(m.id)), []byte("file"), 0o644); err != nil {
				t.Fatal(err)
			}
		case "POST":
			m.status = 404
		default:
			m.status = 405
		}
	}
}

// outcome is what became of a mix of requests at a server.
type outcome struct {
	classes            map[string]int64 // responses to be counted
	total              int
	lost, twice, wrong []string // requests
}

// outcome reads the log until all requests are in it, or none comes any more.
func (s *server) outcome(t *testing.T, requests []mixed, static bool) outcome {
	t.Helper()
	// A server may write its log after its response; a request that is lost never comes.
	for deadline := time.Now().Add(3 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if o := s.outcomeNow(t, requests, static); len(o.lost) == 0 {
			break
		}
	}
	return s.outcomeNow(t, requests, static)
}

func (s *server) outcomeNow(t *testing.T, requests []mixed, static bool) outcome {
	t.Helper()
	o := outcome{classes: map[string]int64{}, total: len(requests)}
	arrived := s.arrivals(t)
	o.wrong = append(o.wrong, arrived[0]...)
	for _, m := range requests {
		want := m.line()
		if static {
			want = want[:strings.LastIndexByte(want, ' ')] + " -" // nginx knows no digest
		}
		lines := arrived[m.id]
		for _, line := range lines {
			if line != want {
				o.wrong = append(o.wrong, line+", want "+want)
			}
		}
		switch len(lines) {
		case 0:
			o.lost = append(o.lost, want)
		case 1:
		default:
			o.twice = append(o.twice, want)
		}
		o.classes[fmt.Sprintf("%dxx", m.status/100)]++
	}
	return o
}

func (o outcome) String() string {
	some := func(what string, lines []string) string {
		return fmt.Sprintf("%d %s\n\t%s\n", len(lines), what, strings.Join(lines[:min(len(lines), 5)], "\n\t"))
	}
	return fmt.Sprintf("of %d requests\n", o.total) + some("lost", o.lost) + some("came more than once", o.twice) + some("came otherwise", o.wrong)
}

// checkExact checks that each request arrived exactly once, as it was, and that
// the response counted for it is its own.
func (o outcome) checkExact(t *testing.T, counted readings.Reading) {
	t.Helper()
	if len(o.lost)+len(o.twice)+len(o.wrong) > 0 {
		t.Error(o)
	}
	checkNoLosses(t, counted)
	if got, want := readings.List(counted.By("code", "mirrorgate_target_responses_total")), readings.List(o.classes); got != want {
		t.Errorf("responses: %s; want %s", got, want)
	}
}

// checkCompared checks that each response that was counted is the one that
// production gave to the same request.
func (a *agent) checkCompared() {
	a.t.Helper()
	const family = "mirrorgate_compare_total"
	responses := a.counters().Count("mirrorgate_target_responses_total")
	eventually(a.t, "all responses are compared", func() bool { return a.counters().Count(family) == responses })
	if got, want := readings.List(a.counters().By("result", family)), fmt.Sprint("same_status ", responses); got != want {
		a.t.Errorf("compared with what production responded: %s; want %s", got, want)
	}
}

// checkFound checks that mirrorgate has noticed that the server cannot pipeline,
// and that what went wrong until then is counted, and little.
func (o outcome) checkFound(t *testing.T, counted readings.Reading) {
	t.Helper()
	if len(o.wrong) > 0 || 100*(len(o.lost)+len(o.twice)) >= o.total {
		t.Error(o)
	}
	losses := int64(0)
	for what, counts := range lossesOf(counted) {
		for _, n := range counts {
			losses += n
		}
		t.Logf("%s: %s", what, readings.List(counts))
	}
	if 100*losses >= int64(o.total) || losses < int64(len(o.lost)) {
		t.Errorf("%d lost requests are counted as %d", len(o.lost), losses)
	}
	if limit := counted.Count("mirrorgate_target_batch_limit"); limit != 1 {
		t.Errorf("the batch limit is %d at the end, want 1", limit)
	}
}

func checkNoLosses(t *testing.T, counted readings.Reading) {
	t.Helper()
	for what, counts := range lossesOf(counted) {
		if len(counts) > 0 {
			t.Errorf("%s: %s", what, readings.List(counts))
		}
	}
}

// lossesOf returns what was counted of requests that got no response.
func lossesOf(counted readings.Reading) map[string]map[string]int64 {
	return map[string]map[string]int64{
		"errors":  counted.By("kind", "mirrorgate_target_errors_total"),
		"dropped": counted.By("reason", "mirrorgate_target_dropped_total"),
	}
}
