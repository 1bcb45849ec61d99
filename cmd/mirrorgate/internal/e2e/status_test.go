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
		"\nTARGET  SAMPLE  EFFECT  SENT/S  P50  P99  ERR/S  DROP/S   QUEUE\nv2         50%",
		"\n  a ", "\nb         100%", "\nNo requests from HAProxy at present.\n",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("%q is not in\n%s", want, stdout)
		}
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
