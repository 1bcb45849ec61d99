package demo

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/readings"
)

// result is what the demo shows at its end.
type result struct {
	mirrored   int64                   // requests sent with mirroring
	invited    bool                    // others may have sent some, too
	production *production             // nil without HAProxy
	acks       *hdrhistogram.Histogram // ns; nil with HAProxy

	accounting readings.Reading
	arrived    []int64 // requests that each target counted itself
	mistakes   []string
}

// count compares what mirrorgate counted with what all others did.
func (r *result) count(s *stage) {
	r.mistakes = r.accounting.Mistakes(groups())
	expect := func(what string, got, want int64) {
		if got != want {
			r.mistakes = append(r.mistakes, fmt.Sprintf("%s %d, should be %d", what, got, want))
		}
	}
	expectSent := func(what string, got, sent int64) {
		if !r.invited || got < sent {
			expect(what, got, sent)
		}
	}
	expect("mirrorgate still holds", r.accounting.Pending(), 0)
	expectSent("mirrorgate received", r.accounting.Count("mirrorgate_requests_received_total"), r.mirrored)
	for i, t := range allTargets {
		r.arrived = append(r.arrived, int64(s.servers[i].Requests()))
		expect("target "+t.name+" counted", r.arrived[i], r.accounting.Count("mirrorgate_target_sent_total", readings.Target(t.name)))
	}
	if p := r.production; p != nil {
		expectSent("the origin counted", int64(s.origin.Requests()), p.plain.answered.Load()+p.mirrored.answered.Load())
		expect("production failed", p.plain.failed.Load()+p.mirrored.failed.Load(), 0)
	}
}

func (r *result) print(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t)
	if p := r.production; p != nil {
		fmt.Fprintf(t, "requests to production\t%d with mirroring, %d without, %d failed\n",
			p.mirrored.answered.Load(), p.plain.answered.Load(), p.mirrored.failed.Load()+p.plain.failed.Load())
	}
	fmt.Fprintf(t, "received by mirrorgate\t%d%s\n\n", r.accounting.Count("mirrorgate_requests_received_total"),
		inBrackets("rejected ", r.accounting.By("reason", "mirrorgate_requests_rejected_total")))
	r.printTargets(t)
	fmt.Fprintln(t)
	r.printLatency(t)
	t.Flush()
	if len(r.mistakes) == 0 {
		fmt.Fprintln(w, "\nThe accounting adds up.")
		return
	}
	fmt.Fprintf(w, "\nThe accounting does NOT add up:\n  %s\n", strings.Join(r.mistakes, "\n  "))
}

func (r *result) printTargets(w io.Writer) {
	fmt.Fprintln(w, "TARGET\tGROUP\tSAMPLED OUT\tSELECTED\tSENT\tANSWERED\tERRORS\tDROPPED\tTARGET COUNTED")
	for i, t := range allTargets {
		a, target := r.accounting, readings.Target(t.name)
		list := func(key, family string) string { return cmp.Or(readings.List(a.By(key, family, target)), "-") }
		sampledOut := "" // belongs to the group: once is enough
		if i == 0 || allTargets[i-1].group != t.group {
			sampledOut = strconv.FormatInt(a.Count("mirrorgate_group_sampled_out_total", readings.Group(t.group)), 10)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%s\t%s\t%s\t%d\n", t.name, t.group, sampledOut,
			a.Count("mirrorgate_target_selected_total", target),
			a.Count("mirrorgate_target_sent_total", target),
			list("code", "mirrorgate_target_responses_total"),
			list("kind", "mirrorgate_target_errors_total"),
			list("reason", "mirrorgate_target_dropped_total"),
			r.arrived[i])
	}
}

func (r *result) printLatency(w io.Writer) {
	row := func(what string, h *hdrhistogram.Histogram, unit time.Duration) {
		fmt.Fprint(w, what)
		for _, q := range []float64{50, 90, 99, 100} {
			fmt.Fprintf(w, "\t%v", (time.Duration(h.ValueAtQuantile(q)) * unit).Round(time.Microsecond))
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w, "LATENCY\tp50\tp90\tp99\tmax")
	if p := r.production; p != nil {
		row("production without mirroring", p.plain.latency, time.Microsecond)
		row("production with mirroring", p.mirrored.latency, time.Microsecond)
		return
	}
	row("acknowledgement", r.acks, time.Nanosecond)
}

// inBrackets writes counts like " (2xx 10, timeout 1)", nothing if there is none.
func inBrackets(what string, counts map[string]int64) string {
	if len(counts) == 0 {
		return ""
	}
	return " (" + what + readings.List(counts) + ")"
}

// liveLine says in one line how far it is.
func liveLine(a readings.Reading) string {
	return fmt.Sprintf("received %d   sent %d, dropped %d   compared %d", a.Count("mirrorgate_requests_received_total"),
		a.Count("mirrorgate_target_sent_total"), a.Count("mirrorgate_target_dropped_total"), a.Count("mirrorgate_compare_total"))
}
