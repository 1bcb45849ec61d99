package readings

import (
	"slices"
	"strings"
	"testing"
	"time"
)

const goodPage = `# TYPE mirrorgate_requests_received_total counter
mirrorgate_requests_received_total 100
mirrorgate_requests_rejected_total{reason="loop"} 4
mirrorgate_requests_rejected_total{reason="connect"} 0
mirrorgate_group_sampled_out_total{group="v2"} 40
mirrorgate_group_filtered_total{group="v2",reason="method"} 6
mirrorgate_group_sampled_out_total{group="all"} 0
mirrorgate_group_filtered_total{group="all",reason="method"} 0
mirrorgate_target_selected_total{target="a"} 30
mirrorgate_target_sent_total{target="a"} 30
mirrorgate_target_responses_total{target="a",code="2xx"} 30
mirrorgate_target_selected_total{target="b"} 20
mirrorgate_target_sent_total{target="b"} 12
mirrorgate_target_responses_total{target="b",code="2xx"} 9
mirrorgate_target_responses_total{target="b",code="5xx"} 1
mirrorgate_target_errors_total{target="b",kind="timeout"} 2
mirrorgate_target_dropped_total{target="b",reason="queue_full"} 5
mirrorgate_target_dropped_total{target="b",reason="stale"} 3
mirrorgate_target_selected_total{target="all"} 96
mirrorgate_target_sent_total{target="all"} 96
mirrorgate_target_responses_total{target="all",code="2xx"} 96
mirrorgate_target_queue_length{target="b"} 0
`

func TestMistakes(t *testing.T) {
	groups := map[string][]string{"all": {"all"}, "v2": {"a", "b"}}
	f := func(old, new string, want ...string) {
		t.Helper()
		page := strings.Replace(goodPage, old, new, 1)
		if page == goodPage && old != new {
			t.Fatalf("there is no %q", old)
		}
		if got := Parse(time.Time{}, strings.NewReader(page)).Mistakes(groups); !slices.Equal(got, want) {
			t.Errorf("with %s the mistakes are %q, want %q", new, got, want)
		}
	}
	f("", "")
	f("received_total 100", "received_total 101",
		"group all: filtered, sampled out and selected are 96, should be 97",
		"group v2: filtered, sampled out and selected are 96, should be 97")
	f(`{reason="connect"} 0`, `{reason="connect"} 1`,
		"group all: filtered, sampled out and selected are 96, should be 95",
		"group v2: filtered, sampled out and selected are 96, should be 95")
	f(`sampled_out_total{group="v2"} 40`, `sampled_out_total{group="v2"} 41`,
		"group v2: filtered, sampled out and selected are 97, should be 96")
	f(`dropped_total{target="b",reason="stale"} 3`, `dropped_total{target="b",reason="stale"} 2`,
		"target b: sent and dropped are 19, should be 20")
	f(`errors_total{target="b",kind="timeout"} 2`, `errors_total{target="b",kind="timeout"} 1`,
		"target b: responses and errors are 11, should be 12")
}

func TestBy(t *testing.T) {
	r := Parse(time.Time{}, strings.NewReader(goodPage))
	f := func(key, family, want string, labels ...Label) {
		t.Helper()
		if got := List(r.By(key, family, labels...)); got != want {
			t.Errorf("%s by %s with %s are %q, want %q", family, key, labels, got, want)
		}
	}
	f("reason", "mirrorgate_target_dropped_total", "queue_full 5, stale 3", Target("b"))
	f("reason", "mirrorgate_target_dropped_total", "", Target("a"))
	f("reason", "mirrorgate_requests_rejected_total", "loop 4")
	f("target", "mirrorgate_target_sent_total", "a 30, all 96, b 12")
}
