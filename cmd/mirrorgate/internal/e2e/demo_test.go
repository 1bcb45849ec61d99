package e2e

import (
	"strings"
	"testing"
)

func TestDemo(t *testing.T) {
	f := func(name string, env []string, want ...string) {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := mirrorgate(t, env, "demo", "--duration", "1s", "--rate", "600")
			if code != 0 || stderr != "" {
				t.Errorf("exit code %d and %q on stderr, want 0 and nothing", code, stderr)
			}
			for _, text := range append(want, "The accounting adds up.", "\nv1 ", "\nv1b ", "\nv2 ", "\ncanary ", "\nslow ", "queue_full") {
				if !strings.Contains(stdout, text) {
					t.Errorf("it does not say %q:\n%s", text, stdout)
				}
			}
		})
	}
	f("with HAProxy", nil, "requests to production", "production without mirroring", "production with mirroring")
	f("without HAProxy", []string{"PATH=/nowhere"}, "haproxy is not on PATH", "acknowledgement")
}
