package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/mirrorgate/mirrorgate/cmd/internal/haproxy"
	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/readings"
)

// operatorConfig is what the printed lines are merged into.
const operatorConfig = `
global
    log stdout format raw local0 warning

defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout http-request 10s

backend origin
    server origin %s
`

// operatorFrontend takes the place of the line that stands for the operator's.
const operatorFrontend = `
frontend www
    bind fd@3
    monitor-uri ` + haproxy.ReadyPath + `
    http-response set-header spoe-error %[var(txn.mirror.error)] if { var(txn.mirror.error) -m found }
    default_backend origin
`

// printedConfig returns what config haproxy prints, merged into an operator's
// configuration, by file name.
func printedConfig(t *testing.T, origin string, options ...string) map[string]string {
	t.Helper()
	part := func(name string) string {
		args := append([]string{"config", "haproxy", "--haproxy", proxyVersion.String(), "--spoe-file", "spoe.cfg", "--part", name}, options...)
		code, stdout, stderr := mirrorgate(t, nil, args...)
		if code != 0 || stderr != "" {
			t.Fatalf("%q: exit code %d and %q on stderr, want 0 and nothing", args, code, stderr)
		}
		return stdout
	}
	lines := part("haproxy")
	merged := strings.Replace(lines, "\nfrontend www\n", operatorFrontend, 1)
	if merged == lines {
		t.Fatalf("there is no frontend www in\n%s", lines)
	}
	return map[string]string{"haproxy.cfg": fmt.Sprintf(operatorConfig, origin) + merged, "spoe.cfg": part("spoe")}
}

// Every variant is one that HAProxy has nothing to say against.
func TestConfigHAProxyIsValid(t *testing.T) {
	path, err := haproxy.Find()
	if err != nil {
		t.Fatal(err)
	}
	f := func(options ...string) {
		t.Helper()
		dir := t.TempDir()
		for name, text := range printedConfig(t, "127.0.0.1:1", options...) {
			text = strings.ReplaceAll(text, "fd@3", "127.0.0.1:8080") // only checked, never bound
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		check := exec.Command(path, "-c", "-f", "haproxy.cfg")
		check.Dir = dir
		out, err := check.CombinedOutput()
		if err != nil || strings.Contains(string(out), "WARNING") {
			t.Errorf("%q: haproxy -c: %v\n%s", options, err, out)
		}
	}
	for _, event := range []string{"--event=request", "--event=response"} {
		f("--agents=10.0.0.7:12345", event)
		for _, option := range []string{"--steer", "--sample=0.5%", "--max-body=64k", "--no-body", "--methods=GET+HEAD", "--grpc"} {
			f("--agents=10.0.0.7:12345", event, option)
		}
	}
	f("--agents=10.0.0.7:12345", "--grpc", "--unary=/a.B/*", "--unary=/a.C/Get", "--sample=10%", "--methods=POST")
	f("--agents=10.0.0.7:12345,unix:/run/mirrorgate/spop.sock,[2001:db8::7]:12345",
		"--sample=10%", "--max-body=2m", "--methods=POST", "--event=response", "--steer")
}

// startPrinted runs HAProxy as config haproxy says, but with more patience for ACKs
// and checks than production has: this machine is busy.
func startPrinted(t *testing.T, origin string, options ...string) (addr string) {
	t.Helper()
	files := printedConfig(t, origin, options...)
	patient := strings.NewReplacer("processing 20ms", "processing 10s", "hello      500ms", "hello      10s",
		"timeout connect 500ms", "timeout connect 10s", "timeout check   500ms", "timeout check   10s")
	for name, text := range files {
		files[name] = patient.Replace(text)
	}
	return startMerged(t, files)
}

func startMerged(t *testing.T, files map[string]string) (addr string) {
	t.Helper()
	listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	h, err := haproxy.Start(context.Background(), files, listener)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Stop)
	return listener.Addr().String()
}

// What is printed mirrors what the options say, and nothing else.
func TestConfigHAProxyMirrors(t *testing.T) {
	post := func(body, more string) string {
		return fmt.Sprintf("POST /p?q=1 HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n%s\r\n%s", len(body), more, body)
	}
	f := func(name string, options []string, send func(t *testing.T, addr string) (want []recorded), loops int64) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			origin, target := startRecorder(t), startRecorder(t)
			socket := filepath.Join(t.TempDir(), "spop")
			a := startAgent(t, "--listen", "unix:"+socket, "--target", target.url())
			addr := startPrinted(t, origin.addr(), append(options, "--agents", a.spop+",unix:"+socket)...)
			want := send(t, addr)
			c := a.atRest(int64(len(want))+loops, oneTarget)
			if got := c.Count("mirrorgate_requests_rejected_total", readings.Of("reason", "loop")); got != loops {
				t.Errorf("%d requests came back, want %d", got, loops)
			}
			mirrored := target.all()
			if len(mirrored) != len(want) {
				t.Fatalf("%d requests are mirrored, want %d", len(mirrored), len(want))
			}
			for i, got := range mirrored {
				if got.line != want[i].line || got.body != want[i].body {
					t.Errorf("mirrored as %q with %d bytes of body, want %q with %d", got.line, len(got.body), want[i].line, len(want[i].body))
				}
			}
		})
	}
	answered := func(t *testing.T, addr, request string) {
		t.Helper()
		if status, header := sendRaw(t, addr, request); status != http.StatusOK || header.Get("spoe-error") != "" {
			t.Errorf("production answered %d, error of SPOE %q", status, header.Get("spoe-error"))
		}
	}
	large := func(t *testing.T, addr string) []recorded {
		body := bodyOf(65536)
		answered(t, addr, post(body, "X-Long: "+strings.Repeat("x", 7000)+"\r\n"))
		return []recorded{{line: "POST /p?q=1 HTTP/1.1", body: body}}
	}
	f("large bodies", []string{"--max-body=64k"}, large, 0)
	f("large bodies after the response", []string{"--max-body=64k", "--event=response"}, large, 0)

	guarded := func(t *testing.T, addr string) []recorded {
		answered(t, addr, post("once", ""))
		answered(t, addr, post("again", "X-Mirrored-By: mirrorgate\r\n"))
		answered(t, addr, "GET /other HTTP/1.1\r\nHost: h\r\n\r\n")
		return []recorded{{line: "POST /p?q=1 HTTP/1.1", body: "once"}}
	}
	f("methods and loops", []string{"--methods=POST+PUT", "--steer"}, guarded, 1)
	f("methods and loops after the response", []string{"--methods=POST+PUT", "--steer", "--event=response"}, guarded, 1)
}

// Of n requests with a share p each, a fair die is this far from n·p once in a
// billion times: 6 standard deviations.
func TestConfigHAProxySamples(t *testing.T) {
	origin, target := startRecorder(t), startRecorder(t)
	a := startAgent(t, "--target", target.url())
	addr := startPrinted(t, origin.addr(), "--agents", a.spop, "--sample", "10%")
	for range 1000 {
		sendRaw(t, addr, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
	}
	if got := a.counters().Count("mirrorgate_requests_received_total"); got < 43 || got > 157 {
		t.Errorf("HAProxy sent %d of 1000 requests, want about 100", got)
	}
}

// Once HAProxy knows that the agent is dead it does not even try.
func TestConfigHAProxyAgentDown(t *testing.T) {
	origin := startRecorder(t)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	addr := startMerged(t, printedConfig(t, origin.addr(), "--agents", closed.Addr().String()))
	eventually(t, "HAProxy mirrors no more", func() bool {
		_, header := sendRaw(t, addr, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		return header.Get("spoe-error") == ""
	})
}

// The unit's limits follow from what is in force, and its command line goes over
// no file that nobody asked it to.
func TestConfigSystemd(t *testing.T) {
	f := func(args, options string, want ...string) (unit string) {
		t.Helper()
		code, unit, stderr := mirrorgate(t, nil, append([]string{"config", "systemd"}, strings.Fields(args)...)...)
		if code != 0 || !strings.Contains(stderr, "a service cannot run "+binary) {
			t.Errorf("exit code %d and %q on stderr, want 0 and that %s is no place for a service", code, stderr, binary)
		}
		for _, line := range append(want, "ExecStart="+binary+options) {
			if !strings.Contains(unit, "\n"+line+"\n") {
				t.Errorf("%s: the unit lacks %q", args, line)
			}
		}
		return unit
	}
	connections := func(unit, n string) {
		t.Helper()
		if !strings.Contains(unit, "at most "+n+" connections from HAProxy") {
			t.Errorf("the unit does not say that there are %s connections at most", n)
		}
	}
	unit := f("", "", "TimeoutStopSec=15", "MemoryMax=1342177280", "UMask=0077",
		"ExecReload=/bin/kill -HUP $MAINPID", "KillSignal=SIGTERM", "EnvironmentFile=-/etc/default/mirrorgate",
		"DynamicUser=yes", "LimitNOFILE=65536", "Restart=always")
	connections(unit, "9216")
	connections(f("--memory 1G --drain 1m", " --memory 1GiB --drain 1m0s", "TimeoutStopSec=65", "MemoryMax=2415919104"), "15360")
	inFile(t, "memory: 2GiB\ndrain: 30s\ntarget: http://127.0.0.1:1\n")
	file, err := filepath.Abs("m.yaml")
	if err != nil {
		t.Fatal(err)
	}
	f("--config m.yaml", " --config "+file, "TimeoutStopSec=35", "MemoryMax=4563402752")
	f("--config m.yaml --drain 1m", " --config "+file+" --drain 1m0s", "TimeoutStopSec=65", "MemoryMax=4563402752")
	if values, _ := checked(t, nil, "--config", file); values["memory"] != "2GiB" || values["drain"] != "30s" {
		t.Errorf("the unit's command line would have %v in force", values)
	}

	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		return
	}
	verify := func(unit string) {
		t.Helper()
		file := filepath.Join(t.TempDir(), "mirrorgate.service")
		if err := os.WriteFile(file, []byte(unit), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(analyze, "verify", file).CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("systemd-analyze verify: %v\n%s", err, out)
		}
	}
	verify(unit)
	optional := regexp.MustCompile(`(?m)^#([A-Z]\w+=)`)
	if n := len(optional.FindAllString(unit, -1)); n != 6 {
		t.Errorf("the unit has %d lines to take the # from, want 6", n)
	}
	verify(optional.ReplaceAllString(unit, "$1"))
}

// metricsPage is the real one, of a mirrorgate with targets, of which one is compared.
func metricsPage(t *testing.T) string {
	t.Helper()
	const target = "=http://127.0.0.1:1"
	_, page := startAgent(t, "--target", "v1"+target, "--target", "v1b"+target, "--target", "v2"+target+",against=v1,noise=v1b").get("/metrics")
	return page
}

var (
	selectorPattern = regexp.MustCompile(`\b((?:mirrorgate|process|go)_[a-z_]+)(?:\{([^}]*)\})?`)
	matcherPattern  = regexp.MustCompile(`([a-z_]+)(=|!=|=~|!~)"([^"]*)"`)
)

// unknownSeries returns what a query asks for that the page does not have: the
// names of metrics, and the values of their labels.
func unknownSeries(page, query string) (unknown []string) {
	for _, selector := range selectorPattern.FindAllStringSubmatch(query, -1) {
		name := selector[1]
		if !strings.Contains(page, "\n"+name+" ") && !strings.Contains(page, "\n"+name+"{") {
			unknown = append(unknown, name)
		}
		for _, matcher := range matcherPattern.FindAllStringSubmatch(selector[2], -1) {
			for value := range strings.SplitSeq(matcher[3], "|") {
				series := regexp.MustCompile(`(?m)^` + name + `\{[^}]*\b` + matcher[1] + `="` + value + `"`)
				if !series.MatchString(page) {
					unknown = append(unknown, name+"{"+matcher[1]+"="+value+"}")
				}
			}
		}
	}
	return unknown
}

func TestConfigPrometheus(t *testing.T) {
	code, rules, stderr := mirrorgate(t, nil, "config", "prometheus")
	if code != 0 || stderr != "" {
		t.Fatalf("exit code %d and %q on stderr, want 0 and nothing", code, stderr)
	}
	var file struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	if err := yaml.UnmarshalWithOptions([]byte(rules), &file, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	page := metricsPage(t)
	alerts := make(map[string]bool)
	for _, group := range file.Groups {
		for _, rule := range group.Rules {
			alerts[rule.Alert] = true
			if unknown := unknownSeries(page, rule.Expr); len(unknown) > 0 {
				t.Errorf("%s: there is no %q", rule.Alert, unknown)
			}
			if rule.For == "" || rule.Labels["severity"] == "" || rule.Annotations["summary"] == "" || rule.Annotations["description"] == "" {
				t.Errorf("%s is not complete: %+v", rule.Alert, rule)
			}
		}
	}
	for _, alert := range []string{"AckSlow", "Dropping", "TargetDown", "Truncation", "Memory", "NoTraffic", "ReloadFailed", "HostGone", "TargetFails", "TargetPaused", "Loop", "Ignored", "Malformed", "StatusDiffers", "Unpaired"} {
		if !alerts["Mirrorgate"+alert] {
			t.Errorf("there is no alert Mirrorgate%s among %v", alert, slices.Sorted(maps.Keys(alerts)))
		}
	}
	_, scrape, _ := mirrorgate(t, nil, "config", "prometheus", "--part", "scrape")
	var config struct {
		Scrape []struct {
			Job string `yaml:"job_name"`
		} `yaml:"scrape_configs"`
	}
	if err := yaml.Unmarshal([]byte(scrape), &config); err != nil || len(config.Scrape) != 1 || !strings.Contains(rules, `job="`+config.Scrape[0].Job+`"`) {
		t.Errorf("the scrape_config has another job than the alerts, or is none: %v\n%s", err, scrape)
	}
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		return
	}
	dir := t.TempDir()
	cases, err := os.ReadFile("testdata/alerts_test.yml")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"prometheus.yml": scrape, "alerts.yml": rules, "alerts_test.yml": string(cases)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"check", "config", "--syntax-only", "prometheus.yml"}, {"check", "rules", "alerts.yml"}, {"test", "rules", "alerts_test.yml"}} {
		run := exec.Command(promtool, args...)
		run.Dir = dir
		if out, err := run.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", args, err, out)
		}
	}
}

func TestConfigGrafana(t *testing.T) {
	code, dashboard, stderr := mirrorgate(t, nil, "config", "grafana")
	if code != 0 || stderr != "" {
		t.Fatalf("exit code %d and %q on stderr, want 0 and nothing", code, stderr)
	}
	var file struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.NewDecoder(bytes.NewBufferString(dashboard)).Decode(&file); err != nil {
		t.Fatal(err)
	}
	page := metricsPage(t)
	chosen := regexp.MustCompile(`\w+=~"\$\w+",? *`) // by whoever looks at the dashboard
	queries := 0
	for _, panel := range file.Panels {
		for _, target := range panel.Targets {
			queries++
			if unknown := unknownSeries(page, chosen.ReplaceAllString(target.Expr, "")); len(unknown) > 0 {
				t.Errorf("%s: there is no %q", panel.Title, unknown)
			}
		}
	}
	for _, variable := range []string{`job=~"$job"`, `instance=~"$instance"`, `target=~"$target"`} {
		if !strings.Contains(dashboard, strings.ReplaceAll(variable, `"`, `\"`)) {
			t.Errorf("no panel follows %s", variable)
		}
	}
	if queries < 15 {
		t.Errorf("the dashboard has %d queries, want at least 15", queries)
	}
}

// What is no metric of ours is found out.
func TestUnknownSeries(t *testing.T) {
	page := "# x\nmirrorgate_a_total{reason=\"x\"} 1\nmirrorgate_b 2\n"
	f := func(query, want string) {
		t.Helper()
		if got := strings.Join(unknownSeries(page, query), " "); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	f(`rate(mirrorgate_a_total{reason=~"x"}[5m]) / mirrorgate_b`, "")
	f(`rate(mirrorgate_a_total{reason=~"x|y"}[5m]) / mirrorgate_b`, "mirrorgate_a_total{reason=y}")
	f(`sum by (reason) (mirrorgate_a) > 0`, "mirrorgate_a")
}
