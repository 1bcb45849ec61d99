package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mirrorgate/mirrorgate/cmd/internal/haproxy"
	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/readings"
)

// agent is a mirrorgate process.
type agent struct {
	t        *testing.T
	process  *exec.Cmd
	log      *logLines
	spop     string // where HAProxy connects
	admin    string
	exited   chan struct{}
	exitCode int
}

// startAgent runs mirrorgate on free ports, with more options, until the test
// ends.
func startAgent(t *testing.T, options ...string) *agent {
	t.Helper()
	return startAgentBy(t, nil, options...)
}

// startAgentBy runs it by another command, to which the whole command line is
// added.
func startAgentBy(t *testing.T, by []string, options ...string) *agent {
	t.Helper()
	args := append([]string{binary, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--log-format", "json"}, options...)
	log := new(logLines)
	a := runAgent(t, append(by, args...), log)
	a.log = log
	eventually(t, "mirrorgate listens", func() bool {
		a.admin = a.log.attr("serving metrics", "address")
		a.spop = a.log.attr("listening for HAProxy", "address")
		return a.admin != "" && a.spop != "" || a.gone()
	})
	if a.gone() {
		t.Fatalf("mirrorgate %s ended with %d: %s", args, a.exitCode, a.log)
	}
	return a
}

// runAgent runs a command line that is mirrorgate's, until the test ends.
func runAgent(t *testing.T, args []string, stderr io.Writer) *agent {
	t.Helper()
	a := &agent{t: t, log: new(logLines), exited: make(chan struct{})}
	a.process = exec.Command(args[0], args[1:]...)
	a.process.Stderr = stderr
	if err := a.process.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = a.process.Wait()
		a.exitCode = a.process.ProcessState.ExitCode()
		close(a.exited)
	}()
	t.Cleanup(a.kill)
	return a
}

func (a *agent) gone() bool {
	select {
	case <-a.exited:
		return true
	default:
		return false
	}
}

// kill ends what the test left running. A data race is an exit code of 66, but
// only a process that exits by itself has one.
func (a *agent) kill() {
	if !a.gone() {
		_ = a.process.Process.Signal(syscall.SIGTERM)
		<-a.exited
	}
	if strings.Contains(a.log.String(), "DATA RACE") || strings.Contains(a.log.String(), "panic:") {
		a.t.Errorf("mirrorgate: %s", a.log)
	}
}

// stop ends mirrorgate as an administrator does.
func (a *agent) stop(t *testing.T) {
	t.Helper()
	_ = a.process.Process.Signal(syscall.SIGTERM)
	eventually(t, "mirrorgate has ended", a.gone)
	if a.exitCode != 0 {
		t.Errorf("exit code is %d, want 0: %s", a.exitCode, a.log)
	}
}

// get asks the admin server.
func (a *agent) get(path string) (status int, body string) {
	a.t.Helper()
	return a.read(http.Get("http://" + a.admin + path))
}

// patch changes something by the API.
func (a *agent) patch(path, body string) (status int, response string) {
	a.t.Helper()
	req, err := http.NewRequest(http.MethodPatch, "http://"+a.admin+"/api/"+path, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	return a.read(http.DefaultClient.Do(req))
}

func (a *agent) read(resp *http.Response, err error) (status int, body string) {
	a.t.Helper()
	if err != nil {
		a.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func (a *agent) counters() readings.Reading {
	a.t.Helper()
	_, page := a.get("/metrics")
	return readings.Parse(time.Now(), strings.NewReader(page))
}

// value is that of a series, written as /metrics writes it, with one label at
// the most.
func (a *agent) value(series string) float64 {
	a.t.Helper()
	family, label, found := strings.Cut(strings.TrimSuffix(series, "}"), "{")
	if !found {
		return a.counters().Sum(family)
	}
	return a.counters().Sum(family, readings.Label(label))
}

// atRest waits until mirrorgate has received that many requests and counted what
// became of each, and checks that the accounting adds up: nothing waits or is in
// flight any more.
func (a *agent) atRest(received int64, groups map[string][]string) readings.Reading {
	a.t.Helper()
	var c readings.Reading
	eventually(a.t, "mirrorgate has counted what became of all requests", func() bool {
		c = a.counters()
		return c.Count("mirrorgate_requests_received_total") >= received && c.Pending() == 0
	})
	c = a.counters()
	if mistakes := c.Mistakes(groups); len(mistakes) > 0 {
		a.t.Errorf("at rest: %s", mistakes)
	}
	if queued, inFlight := c.Count("mirrorgate_target_queue_length"), c.Count("mirrorgate_target_inflight"); queued != 0 || inFlight != 0 {
		a.t.Errorf("at rest: %d requests are queued, %d in flight", queued, inFlight)
	}
	if got := c.Count("mirrorgate_requests_received_total"); got != received {
		a.t.Errorf("mirrorgate received %d requests, want %d", got, received)
	}
	return c
}

// receivedAtEnd is what the log says of it.
func (a *agent) receivedAtEnd() int64 {
	for _, record := range a.log.all("requests") {
		if n, ok := record["received"].(float64); ok {
			return int64(n)
		}
	}
	return 0
}

// logLines is a log in JSON.
type logLines struct{ haproxy.Output }

// all returns the records with the message.
func (l *logLines) all(message string) []map[string]any {
	var found []map[string]any
	for line := range strings.Lines(l.String()) {
		var record map[string]any
		if json.Unmarshal([]byte(line), &record) == nil && record["msg"] == message {
			found = append(found, record)
		}
	}
	return found
}

// attr returns an attribute of the first record with the message.
func (l *logLines) attr(message, key string) string {
	for _, record := range l.all(message) {
		if s, ok := record[key].(string); ok {
			return s
		}
	}
	return ""
}
