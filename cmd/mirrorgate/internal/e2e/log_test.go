package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// Traffic, health checks and connections that come and go are no news: only the
// line of the minute, which is too long to wait for, is on its way.
func TestLogIsSilent(t *testing.T) {
	origin, target := startRecorder(t), startRecorder(t)
	a := startAgent(t, "--target", target.url())
	before := a.log.String()
	c := newCrowd(startProxy(t, sizedSPOE, origin.addr(), a))
	c.run(10, upTo(500), nil)
	a.atRest(500, oneTarget)
	if after := a.log.String(); after != before {
		t.Errorf("the log says more than at the start: %s", strings.TrimPrefix(after, before))
	}
	if _, goroutines := a.get("/debug/pprof/goroutine?debug=1"); !strings.Contains(goroutines, "readings.EveryMinute") {
		t.Errorf("nobody waits for the minute: %s", goroutines)
	}
}

// However many targets there are, the last lines say what became of every
// request.
func TestLogTellsOfEveryTarget(t *testing.T) {
	const targets, requests = 25, 10
	origin, target := startRecorder(t), startRecorder(t)
	var options []string
	groups := map[string][]string{}
	for i := range targets {
		name := fmt.Sprintf("t%d", i)
		options = append(options, "--target", name+"="+target.url())
		groups[name] = []string{name}
	}
	a := startAgent(t, options...)
	newCrowd(startProxy(t, sizedSPOE, origin.addr(), a)).run(1, upTo(requests), nil)
	a.atRest(requests, groups)
	a.stop(t)
	sent := map[any]any{}
	for _, record := range a.log.all("requests")[1:] {
		sent[record["target"]] = record["sent"]
	}
	for name := range groups {
		if sent[name] != float64(requests) {
			t.Errorf("the log says that %v were sent to %s, want %d", sent[name], name, requests)
		}
	}
}

// Go's standard logger is silent before a library that writes there starts: else
// one of them would have a line to say before every command, on some machines.
func TestStandardLoggerIsSilentFirst(t *testing.T) {
	_, _, trace := mirrorgate(t, []string{"GODEBUG=inittrace=1"}, "version")
	silent := strings.Index(trace, "init github.com/mirrorgate/mirrorgate/cmd/internal/stdlog ")
	metrics := strings.Index(trace, "init github.com/VictoriaMetrics/metrics ")
	if silent < 0 || metrics < silent {
		t.Errorf("the standard logger is not silent when the metrics start: %s", trace)
	}
}

// A mistake ends the process, too, where nobody reads what it is.
func TestErrorThatNobodyReads(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	fillPipe(t, w)
	a := runAgent(t, []string{binary, "--target", "foo"}, w)
	eventually(t, "mirrorgate has ended", a.gone)
	if a.exitCode != exitUsage {
		t.Errorf("exit code is %d, want %d", a.exitCode, exitUsage)
	}
}
