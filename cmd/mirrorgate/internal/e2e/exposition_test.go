package e2e

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/admin"
)

// page is /metrics as Prometheus reads it: families by name, with their series.
type page map[string]*dto.MetricFamily

// parsePage reads a page with Prometheus' own parser, which refuses a family
// with two HELPs or TYPEs, or with a TYPE behind its first series.
func parsePage(t *testing.T, text string) page {
	t.Helper()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatalf("Prometheus cannot read the page: %v\n%s", err, text)
	}
	return families
}

// ours returns the families that are not the runtime's or the process's.
func (p page) ours() page {
	found := maps.Clone(p)
	maps.DeleteFunc(found, func(name string, _ *dto.MetricFamily) bool { return !strings.HasPrefix(name, "mirrorgate_") })
	return found
}

// labels returns the keys of the labels of a family, as the reference writes them.
func labels(family *dto.MetricFamily) string {
	var keys []string
	for _, label := range family.Metric[0].Label {
		keys = append(keys, label.GetName())
	}
	if len(keys) == 0 {
		return ""
	}
	return "{" + strings.Join(keys, ",") + "}"
}

// checkHistogram checks that the buckets of a series are cumulative and hold
// all that was counted.
func checkHistogram(t *testing.T, name string, h *dto.Histogram) {
	t.Helper()
	last := &dto.Bucket{}
	for _, b := range h.Bucket {
		if b.GetCumulativeCount() < last.GetCumulativeCount() || b.GetUpperBound() <= last.GetUpperBound() {
			t.Errorf("%s: bucket %v follows %v", name, b, last)
		}
		last = b
	}
	if last.GetCumulativeCount() != h.GetSampleCount() {
		t.Errorf("%s: %d in the last bucket, %d counted", name, last.GetCumulativeCount(), h.GetSampleCount())
	}
}

// checkFamily checks what no dashboard should have to wonder about.
func checkFamily(t *testing.T, name string, family *dto.MetricFamily) {
	t.Helper()
	kind := family.GetType()
	if family.GetHelp() == "" || kind == dto.MetricType_UNTYPED {
		t.Errorf("%s lacks its HELP or TYPE: add it to admin.Metrics", name)
	}
	if strings.HasSuffix(name, "_total") != (kind == dto.MetricType_COUNTER) {
		t.Errorf("%s is a %s", name, kind)
	}
	seen := map[string]bool{}
	for _, m := range family.Metric {
		var series string
		for _, label := range m.Label {
			series += fmt.Sprintf("%s=%q ", label.GetName(), label.GetValue())
		}
		if seen[series] {
			t.Errorf("%s has the series %s twice", name, series)
		}
		seen[series] = true
		if kind == dto.MetricType_HISTOGRAM {
			checkHistogram(t, name, m.Histogram)
		}
	}
}

// What /metrics says before the first request is all that it will ever say: the
// families that the reference lists, with the same texts, and no series less than
// after some traffic of all kinds.
func TestMetrics(t *testing.T) {
	origin, target := startRecorder(t), startRecorder(t)
	a := startAgent(t, "--target", "a="+target.url(), "--target", "b="+target.url()+",group=g,methods=GET",
		"--target", "a2="+target.url(), "--target", "v2="+target.url()+",against=a,noise=a2", "--target", "h=h2c://"+target.addr()+",methods=PATCH")
	_, text := a.get("/metrics")
	atStart := parsePage(t, text)
	for name, family := range atStart.ours() {
		checkFamily(t, name, family)
	}
	checkReference(t, atStart.ours())
	if listed := len(referenceMetric.FindAllString(document(t, referenceFile), -1)); listed != len(admin.Metrics) {
		t.Errorf("the reference lists %d metrics, there are texts for %d", listed, len(admin.Metrics))
	}

	c := newCrowd(startProxy(t, sizedSPOE, origin.addr(), a))
	c.run(5, upTo(100), nil)
	a.atRest(100, map[string][]string{"a": {"a"}, "g": {"b"}, "a2": {"a2"}, "v2": {"v2"}, "h": {"h"}})
	_, text = a.get("/metrics")
	atEnd := parsePage(t, text)
	for name, family := range atEnd.ours() {
		checkFamily(t, name, family)
		byRoute := name == "mirrorgate_compare_route_total" // which routes there are shows with the traffic
		if atStart[name] == nil || len(family.Metric) != len(atStart[name].Metric) && !byRoute {
			t.Errorf("%s has other series than at the start", name)
		}
	}
	acks := atEnd["mirrorgate_spop_ack_seconds"].Metric[0].Histogram
	if acks.GetSampleCount() != 100 || !(acks.GetSampleSum() > 0) {
		t.Errorf("the histogram of ACKs is %v, want 100", acks)
	}
}

var referenceMetric = regexp.MustCompile("(?m)^\\| `(mirrorgate_[a-z_]+)(.*)` \\| (.+?) \\|")

// checkReference compares the reference's table with the families.
func checkReference(t *testing.T, families page) {
	t.Helper()
	listed := map[string]bool{}
	for _, row := range referenceMetric.FindAllStringSubmatch(document(t, referenceFile), -1) {
		name := row[1]
		if listed[name] {
			t.Errorf("the reference lists %s twice", name)
		}
		listed[name] = true
		family := families[name]
		if family == nil {
			t.Errorf("the reference lists %s, which does not exist", name)
			continue
		}
		if row[2] != labels(family) || row[3] != family.GetHelp() {
			t.Errorf("the reference says of %s%s: %q, should be %s: %q", name, row[2], row[3], labels(family), family.GetHelp())
		}
	}
	for _, name := range slices.Sorted(maps.Keys(families)) {
		if !listed[name] {
			t.Errorf("admin.Metrics lacks: | `%s%s` | %s |", name, labels(families[name]), families[name].GetHelp())
		}
	}
}

// The names that dashboards hang on.
func TestMetricNames(t *testing.T) {
	target := startRecorder(t)
	a := startAgent(t, "--target", target.url())
	_, text := a.get("/metrics")
	families := parsePage(t, text)
	f := func(kind dto.MetricType, want ...string) {
		t.Helper()
		for _, w := range want {
			name, _, _ := strings.Cut(w, "{")
			family := families[name]
			if family == nil {
				t.Errorf("there is no %s", w)
			} else if got := name + labels(family); got != w || family.GetType() != kind {
				t.Errorf("there is %s %s, want %s %s", family.GetType(), got, kind, w)
			}
		}
	}
	f(dto.MetricType_COUNTER,
		"mirrorgate_requests_received_total", "mirrorgate_requests_rejected_total{reason}",
		"mirrorgate_group_sampled_out_total{group}", "mirrorgate_group_filtered_total{group,reason}",
		"mirrorgate_target_selected_total{target}", "mirrorgate_target_dropped_total{target,reason}",
		"mirrorgate_target_sent_total{target}", "mirrorgate_target_responses_total{target,code}",
		"mirrorgate_target_errors_total{target,kind}", "mirrorgate_target_connections_opened_total{target}",
		"mirrorgate_spop_frames_total{type}", "mirrorgate_spop_errors_total{code}",
	)
	f(dto.MetricType_GAUGE,
		"mirrorgate_target_queue_length{target}", "mirrorgate_target_inflight{target}",
		"mirrorgate_target_connections{target}", "mirrorgate_target_batch_limit{target}", "mirrorgate_target_breaker_open{target}",
		"mirrorgate_payload_bytes", "mirrorgate_memory_limit_bytes", "mirrorgate_spop_connections",
		"mirrorgate_group_sample_ratio{group}", "mirrorgate_build_info{version}",
		"process_resident_memory_bytes", "go_goroutines",
	)
	f(dto.MetricType_HISTOGRAM,
		"mirrorgate_target_duration_seconds{target}", "mirrorgate_target_batch_size{target}",
		"mirrorgate_spop_ack_seconds",
	)
}
