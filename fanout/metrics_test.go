package fanout

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// series returns the series of f by name, as they are scraped.
func series(f *Fanout) map[string]string {
	var b bytes.Buffer
	f.options.Metrics.WritePrometheus(&b)
	all := map[string]string{}
	for line := range strings.Lines(b.String()) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "} "); ok {
			all[name+"}"] = value
		} else if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			all[name] = value
		}
	}
	return all
}

// sample returns the value of one series.
func sample(t testing.TB, f *Fanout, name string) string {
	t.Helper()
	value, ok := series(f)[name]
	if !ok {
		t.Errorf("there is no series %s", name)
	}
	return value
}

// Dashboards and the accounting hang on these names, and every series is there
// from the start, at zero.
func TestSeriesExistFromTheStart(t *testing.T) {
	f := newFanout(t, nil, "a=http://127.0.0.1:1,group=g,sample=25%,batch=7", "b=http://127.0.0.1:1,group=g,sample=25%", "c=http://127.0.0.1:1")
	defer drain(t, f)
	got := series(f)
	want := map[string]string{
		"mirrorgate_requests_received_total":                            "0",
		"mirrorgate_payload_bytes":                                      "0",
		`mirrorgate_group_sample_ratio{group="g"}`:                      "0.25",
		`mirrorgate_group_sample_ratio{group="c"}`:                      "1",
		`mirrorgate_group_effective_sample_ratio{group="g"}`:            "0.25",
		`mirrorgate_group_accepted_total{group="g"}`:                    "0",
		`mirrorgate_group_sampled_out_total{group="g"}`:                 "0",
		`mirrorgate_group_sampled_out_total{group="c"}`:                 "0",
		`mirrorgate_group_filtered_total{group="g",reason="method"}`:    "0",
		`mirrorgate_group_filtered_total{group="c",reason="method"}`:    "0",
		`mirrorgate_target_batch_limit{target="a"}`:                     "7",
		`mirrorgate_target_batch_limit{target="b"}`:                     "1",
		`mirrorgate_target_duration_seconds_bucket{target="a",le="5"}`:  "0",
		`mirrorgate_target_duration_seconds_bucket{target="a",le="10"}`: "0",
	}
	for _, reason := range []string{"malformed", "truncated", "loop", "connect", "oversize", "aborted"} {
		want[`mirrorgate_requests_rejected_total{reason="`+reason+`"}`] = "0"
	}
	for _, target := range []string{"a", "b", "c"} {
		for _, name := range []string{
			"selected_total", "sent_total", "connections_opened_total", "breaker_open", "queue_length", "inflight", "connections",
			"duration_seconds_count", "duration_seconds_sum", "batch_size_count", "batch_size_sum",
		} {
			want[`mirrorgate_target_`+name+`{target="`+target+`"}`] = "0"
		}
		for _, reason := range []string{"paused", "breaker", "rate", "memory", "queue_full", "shed", "stale", "dial", "tls", "shutdown", "removed"} {
			want[`mirrorgate_target_dropped_total{target="`+target+`",reason="`+reason+`"}`] = "0"
		}
		for _, code := range []string{"1xx", "2xx", "3xx", "4xx", "5xx"} {
			want[`mirrorgate_target_responses_total{target="`+target+`",code="`+code+`"}`] = "0"
		}
		for _, kind := range []string{"timeout", "reset", "protocol", "aborted"} {
			want[`mirrorgate_target_errors_total{target="`+target+`",kind="`+kind+`"}`] = "0"
		}
	}
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s is %q, want %q", name, got[name], value)
		}
	}
	if _, ok := got[`mirrorgate_target_selected_total{target="g"}`]; ok {
		t.Error("a group is counted as a target")
	}
}

// The gauges show what is on its way, so that the sums hold at any time.
func TestGaugesWhileItRuns(t *testing.T) {
	release := make(chan struct{})
	rt := listen(t, func(c *rawConn) {
		c.take(4)
		<-release
		c.send(slices.Repeat([]string{ok}, 4)...)
		c.serve(ok)
	})
	f := newFanout(t, nil, rt.url+",conns=1,batch=4")
	f.Submit(requests(slices.Repeat([]string{"GET /"}, 10)...))
	eventually(t, "the first batch", func() bool { return len(rt.requests()) == 4 })
	check := func(queue, inflight, connections, bytes string) {
		t.Helper()
		got := [4]string{
			sample(t, f, `mirrorgate_target_queue_length{target="t1"}`),
			sample(t, f, `mirrorgate_target_inflight{target="t1"}`),
			sample(t, f, `mirrorgate_target_connections{target="t1"}`),
			sample(t, f, `mirrorgate_payload_bytes`),
		}
		if want := [4]string{queue, inflight, connections, bytes}; got != want {
			t.Errorf("queue, in flight, connections, bytes: %q, want %q", got, want)
		}
	}
	check("6", "4", "1", strconv.Itoa(10*small))
	close(release)
	drain(t, f)
	check("0", "0", "0", "0")
	for name, want := range map[string]string{
		`mirrorgate_target_duration_seconds_count{target="t1"}`: "10",
		`mirrorgate_target_batch_size_sum{target="t1"}`:         "10",
		`mirrorgate_target_batch_size_count{target="t1"}`:       "3",
	} {
		if got := sample(t, f, name); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}
