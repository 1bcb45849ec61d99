package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/mirrorgate/mirrorgate/bench"
)

func TestDemo(t *testing.T) {
	f := func(name string, env []string, want ...string) {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := mirrorgate(t, env, "demo", "--duration", "1s", "--rate", "600")
			if code != 0 || stderr != "" {
				t.Errorf("exit code %d and %q on stderr, want 0 and nothing", code, stderr)
			}
			for _, text := range append(want, "The accounting adds up.", "\nstaging ", "\ncanary ", "\nslow ", "queue_full") {
				if !strings.Contains(stdout, text) {
					t.Errorf("it does not say %q:\n%s", text, stdout)
				}
			}
		})
	}
	f("with HAProxy", nil, "requests to production", "production without mirroring", "production with mirroring")
	f("without HAProxy", []string{"PATH=/nowhere"}, "haproxy is not on PATH", "acknowledgement")
}

// What does not add up is said, and is an error.
func TestDemoFindsMistakes(t *testing.T) {
	s, err := newStage(newLogger(new(bytes.Buffer), "error", "text"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	load := bench.DefaultLoad
	load.Rate, load.Warmup, load.Duration = 100, 0, 200_000_000
	g, err := bench.DialGenerator(t.Context(), s.agent(), load)
	if err != nil {
		t.Fatal(err)
	}
	traffic, err := g.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.settle()
	f := func(sent int64, lose string, want string) {
		t.Helper()
		r := &demoResult{mirrored: sent, acks: traffic.Latency, accounting: readAccounting(s.set)}
		delete(r.accounting, lose)
		r.count(s)
		var out bytes.Buffer
		r.print(&out)
		if !strings.Contains(out.String(), want) || (len(r.mistakes) == 0) != (want == "The accounting adds up.") {
			t.Errorf("it does not say %q:\n%s", want, &out)
		}
	}
	sent := int64(traffic.Sent)
	f(sent, "", "The accounting adds up.")
	f(sent+1, "", "NOT add up:\n  mirrorgate received")
	f(sent, `mirrorgate_target_sent_total{target="staging"}`, "target staging counted")
	f(sent, `mirrorgate_target_selected_total{target="canary"}`, "group v2: filtered, sampled out and selected")
}
