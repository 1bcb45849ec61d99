package demo

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/mirrorgate/mirrorgate/bench"
	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/readings"
	"github.com/mirrorgate/mirrorgate/engine"
	"github.com/mirrorgate/mirrorgate/fanout"
)

// start is a Start.
func start(fc fanout.Config, ec engine.Config) (Gateway, error) {
	f, err := fanout.New(fc)
	if err != nil {
		return Gateway{}, err
	}
	ec.Mirror = f
	e, err := engine.Listen(ec)
	if err != nil {
		return Gateway{}, err
	}
	return Gateway{Addr: e.Addrs()[0].String(), Comparison: f.Comparison, Stop: func() {
		e.Close(context.Background())
		f.Drain(context.Background())
	}}, nil
}

// What does not add up is said, and is an error.
func TestFindsMistakes(t *testing.T) {
	s, err := newStage(io.Discard, start)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	load := bench.DefaultLoad
	load.Rate, load.Warmup, load.Duration = 100, 0, 200_000_000
	g, err := bench.DialGenerator(t.Context(), s.gateway.Addr, load)
	if err != nil {
		t.Fatal(err)
	}
	traffic, err := g.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.stop()
	var page bytes.Buffer
	s.set.WritePrometheus(&page)
	f := func(sent int64, lose string, want string) {
		t.Helper()
		text := page.String()
		if lose != "" {
			text = strings.Replace(text, lose, "lost", 1)
		}
		r := &result{mirrored: sent, acks: traffic.Latency, accounting: readings.Parse(time.Now(), strings.NewReader(text))}
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
	f(sent, `mirrorgate_target_sent_total{target="v1"}`, "target v1 counted")
	f(sent, `mirrorgate_target_selected_total{target="canary"}`, "group others: filtered, sampled out and selected")
}
