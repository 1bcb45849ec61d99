package e2e

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/mirrorgate/mirrorgate/cmd/internal/haproxy"
)

func TestDemo(t *testing.T) {
	f := func(name string, env []string, want ...string) {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := mirrorgate(t, env, "demo", "--duration", "1s", "--rate", "600")
			if code != 0 || stderr != "" {
				t.Errorf("exit code %d and %q on stderr, want 0 and nothing", code, stderr)
			}
			for _, text := range append(want, "The accounting adds up.", " pairs of v2 and v1", "\nv1 ", "\nv1b ", "\nv2 ", "\ncanary ", "\nslow ", "queue_full") {
				if !strings.Contains(stdout, text) {
					t.Errorf("it does not say %q:\n%s", text, stdout)
				}
			}
		})
	}
	f("with HAProxy", nil, "requests to production", "production without mirroring", "production with mirroring")
	f("without HAProxy", []string{"PATH=/nowhere"}, "haproxy is not on PATH", "acknowledgement")
}

// With --keep it goes on, and what it invites to try works, until it is interrupted.
func TestDemoKeeps(t *testing.T) {
	demo := exec.Command(binary, "demo", "--duration", "1s", "--rate", "200", "--keep")
	var out haproxy.Output
	demo.Stdout, demo.Stderr = &out, &out
	if err := demo.Start(); err != nil {
		t.Fatal(err)
	}
	watchdog := time.AfterFunc(time.Minute, func() { _ = demo.Process.Kill() })
	defer watchdog.Stop()
	invitation := regexp.MustCompile(`The page: (http://\S+/)\n    mirrorgate (verdict v2 --admin \S+)\n    curl (http://\S+)\n`)
	var said []string
	eventually(t, "it invites", func() bool {
		said = invitation.FindStringSubmatch(out.String())
		return said != nil
	})
	get := func(url, want string) {
		t.Helper()
		resp, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if body, err := io.ReadAll(resp.Body); err != nil || !strings.Contains(string(body), want) {
			t.Errorf("%s: %v, %s", url, err, body)
		}
	}
	get(said[1], "<title>mirrorgate</title>")
	get(said[3], `"price":`)
	if code, stdout, stderr := mirrorgate(t, nil, strings.Fields(said[2])...); code == 2 || !strings.Contains(stdout, "GET /api/items/{id}") {
		t.Errorf("exit code %d, %s%s", code, stdout, stderr)
	}
	_ = demo.Process.Signal(os.Interrupt)
	_ = demo.Wait()
	if code := demo.ProcessState.ExitCode(); code != 0 || strings.Count(out.String(), "\nGET /api/items/{id}") != 2 {
		t.Errorf("exit code %d: %s", code, out.String())
	}
}
