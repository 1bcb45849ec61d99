package deploy

import (
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// panel is one graph of the dashboard.
type panel struct {
	title, unit, help string
	queries           []query
}

type query struct{ expr, legend string }

// panels are in the order in which one looks when something is wrong: what
// production feels, what came in, what became of it, and what it costs.
var panels = []panel{
	{"Time to the ACK", "s", "What a production request waits for mirrorgate. HAProxy gives up after timeout processing.", []query{
		{quantile(0.5, "mirrorgate_spop_ack_seconds", "instance"), "{{instance}} p50"},
		{quantile(0.99, "mirrorgate_spop_ack_seconds", "instance"), "{{instance}} p99"},
	}},
	{"Received", "reqps", "Requests that HAProxy sent.", []query{
		{"sum by (instance) (rate(mirrorgate_requests_received_total[$__rate_interval]))", "{{instance}}"},
	}},
	{"Rejected", "reqps", "Mirrored to nobody. truncated: bodies larger than HAProxy's buffer.", []query{
		{"sum by (reason) (rate(mirrorgate_requests_rejected_total[$__rate_interval])) > 0", "{{reason}}"},
	}},
	{"Sampled out and filtered", "reqps", "What the sample and the methods of a group kept from it.", []query{
		{"sum by (group) (rate(mirrorgate_group_sampled_out_total[$__rate_interval]))", "{{group}} sampled out"},
		{"sum by (group, reason) (rate(mirrorgate_group_filtered_total[$__rate_interval])) > 0", "{{group}} {{reason}}"},
	}},
	{"Sample in force", "percentunit", "What was asked for, and what is left of it after drops.", []query{
		{"min by (group) (mirrorgate_group_sample_ratio)", "{{group}} asked for"},
		{"min by (group) (mirrorgate_group_effective_sample_ratio)", "{{group}} in force"},
	}},
	{"Breakers", "short", "1: the target has failed too often and is tried now and then.", []query{
		{"max by (target) (mirrorgate_target_breaker_open)", "{{target}}"},
	}},
	{"Responses", "reqps", "By class of the status code.", []query{
		{"sum by (target, code) (rate(mirrorgate_target_responses_total[$__rate_interval])) > 0", "{{target}} {{code}}"},
	}},
	{"Drops", "reqps", "Selected for a target, but nothing was sent.", []query{
		{"sum by (target, reason) (rate(mirrorgate_target_dropped_total[$__rate_interval])) > 0", "{{target}} {{reason}}"},
	}},
	{"Errors", "reqps", "Sent, but without a response.", []query{
		{"sum by (target, kind) (rate(mirrorgate_target_errors_total[$__rate_interval])) > 0", "{{target}} {{kind}}"},
	}},
	{"Latency of the targets", "s", "Time from sending to the response.", []query{
		{quantile(0.5, "mirrorgate_target_duration_seconds", "target"), "{{target}} p50"},
		{quantile(0.99, "mirrorgate_target_duration_seconds", "target"), "{{target}} p99"},
	}},
	{"Compared with production", "reqps", "Only with mirroring after the response.", []query{
		{`sum by (target, result) (rate(mirrorgate_compare_total{against="production"}[$__rate_interval])) > 0`, "{{target}} {{result}}"},
	}},
	{"Compared with each other", "percentunit", "What share of the pairs differs in anything at all; of the second copy of the reference that is noise. mirrorgate verdict says what is left without it.", []query{
		{shareOf("mirrorgate_compare_total", `against!="production"`, "status|header|body|error", "target, against"), "{{target}} from {{against}}"},
		{shareOf("mirrorgate_compare_noise_total", `noise=~".+"`, "status|header|body|error", "target, noise"), "noise of {{target}}: {{noise}}"},
	}},
	{"Other status, or no response", "percentunit", "What share of the pairs differs in the status, or has a response on one side alone.", []query{
		{shareOf("mirrorgate_compare_total", `against!="production"`, "status|error", "target, against"), "{{target}} from {{against}}"},
		{shareOf("mirrorgate_compare_noise_total", `noise=~".+"`, "status|error", "target, noise"), "noise of {{target}}: {{noise}}"},
	}},
	{"Not compared", "reqps", "Requests for both sides that one of them did not get to the end of.", []query{
		{"sum by (target, side, reason) (rate(mirrorgate_compare_unpaired_total[$__rate_interval])) > 0", "{{target}} {{side}} {{reason}}"},
	}},
	{"Slower and faster than production", "s", "By how much, only with mirroring after the response.", []query{
		{`histogram_quantile(0.5, sum by (target, mirror, le) (rate(mirrorgate_compare_duration_difference_seconds_bucket[$__rate_interval])))`, "{{target}} {{mirror}} p50"},
		{`histogram_quantile(0.99, sum by (target, mirror, le) (rate(mirrorgate_compare_duration_difference_seconds_bucket[$__rate_interval])))`, "{{target}} {{mirror}} p99"},
	}},
	{"Queues", "short", "Requests that wait for a connection, and those that wait for their response.", []query{
		{"sum by (target) (mirrorgate_target_queue_length)", "{{target}} queued"},
		{"sum by (target) (mirrorgate_target_inflight)", "{{target}} in flight"},
	}},
	{"Payload", "bytes", "Memory of what waits, and its limit.", []query{
		{"mirrorgate_payload_bytes", "{{instance}}"},
		{"mirrorgate_memory_limit_bytes", "{{instance}} limit"},
	}},
	{"Connections", "short", "From HAProxy, and to the targets.", []query{
		{"sum by (instance) (mirrorgate_spop_connections)", "{{instance}} from HAProxy"},
		{"sum by (target) (mirrorgate_target_connections)", "{{target}}"},
	}},
	{"CPU for a received request", "s", "Processor time of the whole process.", []query{
		{"sum by (job, instance) (rate(process_cpu_seconds_total[$__rate_interval])) / sum by (job, instance) (rate(mirrorgate_requests_received_total[$__rate_interval]))", "{{instance}}"},
	}},
	{"Resident memory", "bytes", "Of the process.", []query{
		{"process_resident_memory_bytes", "{{instance}}"},
	}},
}

func quantile(q float64, histogram, by string) string {
	return fmt.Sprintf("histogram_quantile(%g, sum by (%s, le) (rate(%s_bucket[$__rate_interval])))", q, by, histogram)
}

// shareOf is what share of the pairs of a family, with that matcher, has those results.
func shareOf(family, matcher, results, by string) string {
	return fmt.Sprintf("sum by (%s) (rate(%s{%s,result=~%q}[$__rate_interval])) / sum by (%[1]s) (rate(%[2]s{%[3]s}[$__rate_interval]))", by, family, matcher, results)
}

type object map[string]any

// WriteDashboard writes a dashboard that Grafana imports; it asks for the
// Prometheus to use.
func WriteDashboard(w io.Writer) error {
	source := object{"type": "prometheus", "uid": "${source}"}
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	out.SetEscapeHTML(false)
	return out.Encode(object{
		"title": "mirrorgate", "uid": "mirrorgate", "schemaVersion": 39, "refresh": "30s", "editable": true,
		"time": object{"from": "now-1h", "to": "now"},
		"templating": object{"list": []object{
			{"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"},
			variable(source, "job", "label_values(mirrorgate_build_info, job)"),
			variable(source, "instance", `label_values(mirrorgate_build_info{job=~"$job"}, instance)`),
			variable(source, "target", `label_values(mirrorgate_target_selected_total{job=~"$job",instance=~"$instance"}, target)`),
		}},
		"panels": dashboardPanels(source),
	})
}

// variable is a choice above the panels, of several or all.
func variable(source object, name, query string) object {
	return object{
		"name": name, "label": name, "type": "query", "datasource": source, "query": query, "refresh": 2,
		"multi": true, "includeAll": true, "allValue": ".*", "current": object{"text": "All", "value": "$__all"},
	}
}

// family matches a metric with its matchers, if it has any.
var family = regexp.MustCompile(`\b((?:mirrorgate|process)_[a-z_]+)(?:\{([^}]*)\})?`)

// chosen returns the expression with what is chosen above the panels.
func chosen(expr string) string {
	return family.ReplaceAllStringFunc(expr, func(text string) string {
		parts := family.FindStringSubmatch(text)
		matchers := `job=~"$job",instance=~"$instance"`
		if strings.HasPrefix(parts[1], "mirrorgate_target_") || strings.HasPrefix(parts[1], "mirrorgate_compare_") && parts[1] != "mirrorgate_compare_bytes" {
			matchers += `,target=~"$target"`
		}
		if parts[2] != "" {
			matchers = parts[2] + "," + matchers
		}
		return parts[1] + "{" + matchers + "}"
	})
}

// dashboardPanels lays the panels out in two columns of Grafana's 24 units.
func dashboardPanels(source object) []object {
	const width, height = 12, 8
	var all []object
	for i, p := range panels {
		var targets []object
		for j, q := range p.queries {
			targets = append(targets, object{
				"refId": string(rune('A' + j)), "datasource": source, "expr": chosen(q.expr), "legendFormat": q.legend,
			})
		}
		all = append(all, object{
			"id": i + 1, "type": "timeseries", "title": p.title, "description": p.help, "datasource": source,
			"gridPos":     object{"x": i % 2 * width, "y": i / 2 * height, "w": width, "h": height},
			"fieldConfig": object{"defaults": object{"unit": p.unit, "min": 0}, "overrides": []object{}},
			"options":     object{"tooltip": object{"mode": "multi", "sort": "desc"}},
			"targets":     targets,
		})
	}
	return all
}
