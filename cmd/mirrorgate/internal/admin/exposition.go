package admin

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/VictoriaMetrics/metrics"
)

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
		if help := metricHelp(family); help != "" {
			fmt.Fprintf(out, "# HELP %s %s\n", family, help)
		}
	}
	out.Flush() // a peer that has gone is no matter
}
