package admin

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// reading is what the metrics said at one moment: for each family, and group or
// target, the values by the label that is left.
type reading struct {
	at     time.Time
	values map[string][]labelled
}

type labelled struct {
	label string // the value of the label; empty if the series has no more
	value float64
}

func read(set *metrics.Set) reading {
	var b bytes.Buffer
	set.WritePrometheus(&b)
	r := reading{at: time.Now(), values: map[string][]labelled{}}
	for line := range strings.Lines(b.String()) {
		r.add(strings.TrimSuffix(line, "\n"))
	}
	return r
}

// add takes a line like family{target="a",reason="rate"} 5. Label values hold
// nothing that would be escaped: fanout allows letters, digits and "-_.".
func (r *reading) add(line string) {
	series, number, ok := strings.Cut(line, " ")
	if !ok || line[0] == '#' {
		return
	}
	value, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return
	}
	family, labels, _ := strings.Cut(strings.TrimSuffix(series, "}"), "{")
	whose := ""
	if name, rest, _ := strings.Cut(labels, `="`); name == "group" || name == "target" {
		whose, labels, _ = strings.Cut(rest, `"`)
	}
	_, label, _ := strings.Cut(labels, `="`)
	label, _, _ = strings.Cut(label, `"`)
	key := seriesOf(family, whose)
	r.values[key] = append(r.values[key], labelled{label, value})
}

// seriesOf is where a reading keeps a family of the whole gateway, if whose is
// empty, or of the group or target of that name.
func seriesOf(family, whose string) string { return family + " " + whose }

// sum adds up all labels.
func (r reading) sum(family, whose string) float64 {
	total := 0.0
	for _, l := range r.values[seriesOf(family, whose)] {
		total += l.value
	}
	return total
}

// count is a sum that is no fraction.
func (r reading) count(family, whose string) int64 { return int64(r.sum(family, whose)) }

// counts are the counters by their label, also those at zero.
func (r reading) counts(family, whose string) map[string]int64 {
	counts := map[string]int64{}
	for _, l := range r.values[seriesOf(family, whose)] {
		counts[l.label] = int64(l.value)
	}
	return counts
}

// span is the time between two readings.
type span struct{ from, to reading }

func (s span) seconds() float64 { return s.to.at.Sub(s.from.at).Seconds() }

// rate is how much all labels together grew in a second.
func (s span) rate(family, whose string) float64 {
	return s.perSecond(s.to.sum(family, whose) - s.from.sum(family, whose))
}

// rates are by label.
func (s span) rates(family, whose string) map[string]float64 {
	rates := map[string]float64{}
	before := s.from.values[seriesOf(family, whose)]
	for i, l := range s.to.values[seriesOf(family, whose)] {
		if i < len(before) { // the series of one family come in one order
			l.value -= before[i].value
		}
		rates[l.label] = s.perSecond(l.value)
	}
	return rates
}

func (s span) perSecond(growth float64) float64 {
	if s.seconds() <= 0 {
		return 0
	}
	return max(growth, 0) / s.seconds()
}

// quantile estimates the q-quantile, 0 to 1, of what a histogram observed in the
// span, as Prometheus does: even inside a bucket, and its bound for what lies
// beyond the last one. It is NaN if nothing was observed.
func (s span) quantile(q float64, family, whose string) float64 {
	key := seriesOf(family+"_bucket", whose)
	before, after := s.from.values[key], s.to.values[key]
	upTo := func(i int) float64 { // how many were observed up to the bound of bucket i
		n := after[i].value
		if i < len(before) {
			n -= before[i].value
		}
		return n
	}
	if len(after) == 0 || upTo(len(after)-1) <= 0 {
		return math.NaN()
	}
	rank := q * upTo(len(after)-1)
	lower, below := 0.0, 0.0
	for i := range after {
		upper, err := strconv.ParseFloat(after[i].label, 64)
		if err != nil || math.IsInf(upper, 1) {
			break
		}
		if n := upTo(i); n >= rank && n > below {
			return lower + (upper-lower)*(rank-below)/(n-below)
		}
		lower, below = upper, upTo(i)
	}
	return lower
}
