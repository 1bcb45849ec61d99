package e2e

import (
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
	if _, goroutines := a.get("/debug/pprof/goroutine?debug=1"); !strings.Contains(goroutines, "main.everyMinute") {
		t.Errorf("nobody waits for the minute: %s", goroutines)
	}
}
