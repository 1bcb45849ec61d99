package admin

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/VictoriaMetrics/metrics"
)

// MetricHelp says what each family of ours counts. README has a table of them
// with the same texts, and what to do when a value is high.
var MetricHelp = map[string]string{
	"mirrorgate_build_info":                                   "Always 1; the label is the version.",
	"mirrorgate_config_last_reload_successful":                "1 if the configuration was read without a mistake the last time, else 0.",
	"mirrorgate_config_last_reload_success_timestamp_seconds": "When it last was, in seconds since 1970.",
	"mirrorgate_requests_received_total":                      "Requests that HAProxy sent.",
	"mirrorgate_requests_rejected_total":                      "Requests that are mirrored to no group, by reason.",
	"mirrorgate_group_accepted_total":                         "Requests that were not rejected, since the group exists.",
	"mirrorgate_group_sample_ratio":                           "Share of the requests that the group gets, 0 to 1.",
	"mirrorgate_group_effective_sample_ratio":                 "Share of the last second's requests that the group took and did not drop, 0 to 1.",
	"mirrorgate_group_sampled_out_total":                      "Requests that sampling kept from the group.",
	"mirrorgate_group_filtered_total":                         "Requests that a filter kept from the group, by reason.",
	"mirrorgate_target_selected_total":                        "Requests meant for the target.",
	"mirrorgate_target_dropped_total":                         "Selected requests of which nothing was sent, by reason.",
	"mirrorgate_target_sent_total":                            "Requests that were sent, at least in part, and have ended.",
	"mirrorgate_target_responses_total":                       "Sent requests that were answered, by class of the status code.",
	"mirrorgate_target_errors_total":                          "Sent requests that got no answer, by kind of error.",
	"mirrorgate_target_duration_seconds":                      "Time from sending to the answer.",
	"mirrorgate_target_queue_length":                          "Requests that wait for a connection.",
	"mirrorgate_target_inflight":                              "Requests that are being sent or wait for their answer.",
	"mirrorgate_target_connections":                           "Open connections.",
	"mirrorgate_target_connections_opened_total":              "Connections opened since the start.",
	"mirrorgate_target_batch_size":                            "Requests sent in one write.",
	"mirrorgate_target_batch_limit":                           "Requests that may be in flight on one connection.",
	"mirrorgate_target_breaker_open":                          "1 while the breaker is open: requests are dropped, but for one probe at a time.",
	"mirrorgate_payload_bytes":                                "Memory held by requests that wait or are being sent.",
	"mirrorgate_connection_bytes":                             "Memory reckoned for connections to targets, beyond the first of each.",
	"mirrorgate_memory_limit_bytes":                           "What mirrorgate_payload_bytes and mirrorgate_connection_bytes may reach together (--memory).",
	"mirrorgate_spop_ack_seconds":                             "Time from the read of a NOTIFY to the write of its ACK.",
	"mirrorgate_spop_connections":                             "Connections from HAProxy.",
	"mirrorgate_spop_connections_refused_total":               "Connections from HAProxy that were refused or closed, by reason.",
	"mirrorgate_spop_frames_total":                            "Frames from HAProxy, by type.",
	"mirrorgate_spop_messages_ignored_total":                  "Messages without a method and a path.",
	"mirrorgate_spop_errors_total":                            "Connections that were ended for an error, by code of the DISCONNECT.",

	"mirrorgate_log_lost_total":                      "Lines of the log that were lost because nobody read it.",
	"mirrorgate_steer_ratio":                         "Share of its requests that HAProxy is told to send (--steer), 0.01 to 1.",
	"mirrorgate_compare_total":                       "Answers compared with production's, by how the status codes compare.",
	"mirrorgate_compare_duration_difference_seconds": "How much slower or faster than production the target answered.",
}

// writeMetrics writes everything in Prometheus text format: the set, then the
// process and the Go runtime.
func writeMetrics(w io.Writer, set *metrics.Set, version string) {
	metrics.ExposeMetadata(true)
	var b bytes.Buffer
	metrics.WriteGaugeUint64(&b, fmt.Sprintf("mirrorgate_build_info{version=%q}", version), 1)
	set.WritePrometheus(&b)
	metrics.WriteProcessMetrics(&b)
	writeHelp(w, &b)
}

// writeHelp copies lines and fills in the HELP lines, whose text the library
// leaves empty; one that nothing is known for is left out.
func writeHelp(w io.Writer, from *bytes.Buffer) {
	out := bufio.NewWriter(w)
	for line := range bytes.Lines(from.Bytes()) {
		family, ok := strings.CutPrefix(string(line), "# HELP ")
		if !ok {
			out.Write(line)
			continue
		}
		family = strings.TrimSpace(family)
		if help := MetricHelp[family]; help != "" {
			fmt.Fprintf(out, "# HELP %s %s\n", family, help)
		}
	}
	out.Flush() // a peer that has gone is no matter
}
