package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/mirrorgate/mirrorgate/cmd/internal/haproxy"
)

func TestStatus(t *testing.T) {
	a := startAgent(t, "--target", "a=http://127.0.0.1:1,group=v2,sample=50%", "--target", "b=http://127.0.0.1:1")
	code, stdout, stderr := mirrorgate(t, nil, "status", "--admin", a.admin)
	if code != 0 || stderr != "" {
		t.Errorf("exit code %d and %q", code, stderr)
	}
	for _, want := range []string{
		"mirrorgate v1.2.3-test at " + a.admin + ", up ", "\nreceived 0/s on 0 connections, ACK p50 - p99 -\n", "of 512MiB\n",
		"\nTARGET  SAMPLE  EFFECT  SENT/S  P50  P99  CLASS  ERR  DROP   QUEUE\nv2         50%",
		"\n  a ", "\nb         100%", "\n!  No requests and no connection from HAProxy:",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("%q is not in\n%s", want, stdout)
		}
	}
}

// The exit status is for scripts: it tells a breaker that is open, and a host that is
// gone. Of several hosts there is one table.
func TestStatusTellsTrouble(t *testing.T) {
	gone := "127.0.0.1:1"
	a, b := startAgent(t, "--target", "a=http://127.0.0.1:1"), startAgent(t, "--target", "a=http://127.0.0.1:1")
	f := func(want int, stdoutHas, stderrHas string, args ...string) {
		t.Helper()
		code, stdout, stderr := mirrorgate(t, nil, append([]string{"status"}, args...)...)
		if code != want || !strings.Contains(stdout, stdoutHas) || !strings.Contains(stderr, stderrHas) {
			t.Errorf("%q: exit status %d, want %d with %q and %q:\n%s%s", args, code, want, stdoutHas, stderrHas, stdout, stderr)
		}
	}
	both := a.admin + "," + b.admin
	f(0, "0/16384", "", "--admin", both)
	f(0, `"admin": "`+b.admin+`"`, "", "--json", "--admin", both)
	f(exitFailed, "0/8192", "cannot reach mirrorgate at "+gone, "--admin", a.admin+","+gone)
	f(exitFailed, `"error": "cannot reach`, "cannot reach", "--json", "--admin", a.admin+","+gone)
	f(exitFailed, "", "cannot reach", "--admin", gone)
	f(exitUsage, "", "twice", "--admin", a.admin+","+a.admin)

	c := newCrowd(startProxy(t, sizedSPOE, startRecorder(t).addr(), a))
	c.run(5, upTo(20), nil)
	eventually(t, "the breaker is open", func() bool { return a.value(`mirrorgate_target_breaker_open{target="a"}`) == 1 })
	f(exitFailed, "!! "+a.admin+": a ", "the breaker of a is open", "--admin", both)

	code, stdout, stderr := mirrorgate(t, nil, "tune", "a", "paused=true", "for=10m", "--admin", both)
	if code != 0 || strings.Count(stdout, "paused false → true") != 2 || !strings.Contains(stdout, b.admin+": a: ") {
		t.Errorf("tune ends with %d: %s%s", code, stdout, stderr)
	}
}

// status --watch shows table after table, below each other in a pipe, in place
// on a terminal, until it is interrupted.
func TestStatusWatch(t *testing.T) {
	a := startAgent(t, "--target", "a=http://127.0.0.1:1")
	f := func(between string, command ...string) {
		t.Helper()
		watch := exec.Command(command[0], command[1:]...)
		watch.Env = append(os.Environ(), "MIRRORGATE_ADMIN="+a.admin)
		var out haproxy.Output
		watch.Stdout = &out
		in, err := watch.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		if err := watch.Start(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "two tables", func() bool { return strings.Count(out.String(), between+"mirrorgate v1.2.3-test at") >= 2 })
		if between == "" {
			watch.Process.Signal(os.Interrupt)
		} else {
			fmt.Fprint(in, "\x03") // as the key does on a terminal
		}
		watchdog := time.AfterFunc(time.Minute, func() { watch.Process.Kill() })
		defer watchdog.Stop()
		if err := watch.Wait(); err != nil {
			t.Errorf("%s ends with %v: %s", command, err, out.String())
		}
	}
	f("", binary, "status", "--watch")
	// exec, for a shell that waits for it may end with the key itself.
	f("\x1b[H", "script", "--quiet", "--return", "--command", "exec "+binary+" status --watch", "/dev/null")
}
