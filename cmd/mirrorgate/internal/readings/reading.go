package readings

import (
	"bufio"
	"bytes"
	"io"
	"iter"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// Reading is what the metrics said at one moment. It does not change any more.
type Reading struct {
	At      time.Time
	members map[string][]Label  // of each family: with what its series begin
	series  map[member][]series // in the order of the text
}

// member is what a family has of one target or group, or of another label that
// comes first; none if the family has no labels.
type member struct {
	family string
	first  Label
}

// series is a line of the text.
type series struct {
	labels string // each with a comma in front, like ,target="a",reason="rate"
	value  float64
}

// Read reads the metrics of a set.
func Read(set *metrics.Set) Reading {
	var b bytes.Buffer
	set.WritePrometheus(&b)
	return Parse(time.Now(), &b)
}

// Parse reads a page of /metrics, in Prometheus' text format, of that moment. A
// line that it does not understand is left out.
func Parse(at time.Time, page io.Reader) Reading {
	r := Reading{at, map[string][]Label{}, map[member][]series{}}
	for lines := bufio.NewScanner(page); lines.Scan(); {
		r.add(lines.Text())
	}
	return r
}

// add takes a line like family{target="a",reason="rate"} 5.
func (r Reading) add(line string) {
	space := strings.LastIndexByte(line, ' ')
	if space < 0 || line[0] == '#' {
		return
	}
	value, err := strconv.ParseFloat(line[space+1:], 64)
	if err != nil {
		return
	}
	family, labels, found := strings.Cut(line[:space], "{")
	first := ""
	if found {
		labels = "," + strings.TrimSuffix(labels, "}")
		first, _, _ = strings.Cut(labels[1:], ",")
	}
	m := member{family, Label(first)}
	if r.series[m] == nil {
		r.members[family] = append(r.members[family], m.first)
	}
	r.series[m] = append(r.series[m], series{labels, value})
}

// Label is a label of a series with its value, as the text has it.
type Label string

// Of returns the label with that key and value.
func Of(key, value string) Label { return Label(key + "=" + strconv.Quote(value)) }

// Target returns the label of a target's series.
func Target(name string) Label { return Of("target", name) }

// Group returns the label of a group's series.
func Group(name string) Label { return Of("group", name) }

// has reports whether the series has all of the labels.
func (s series) has(labels []Label) bool {
	for _, label := range labels {
		if _, rest, ok := strings.Cut(s.labels, ","+string(label)); !ok || rest != "" && rest[0] != ',' {
			return false
		}
	}
	return true
}

// label returns the value of the label with that key.
func (s series) label(key string) (value string, ok bool) {
	_, rest, ok := strings.Cut(s.labels, ","+key+`="`)
	value, _, _ = strings.Cut(rest, `"`)
	return value, ok
}

// all yields the series of the family that have all of the labels.
func (r Reading) all(family string, labels []Label) iter.Seq[series] {
	return func(yield func(series) bool) {
		firsts := r.members[family]
		for _, label := range labels {
			if r.series[member{family, label}] != nil {
				firsts = []Label{label}
			}
		}
		for _, first := range firsts {
			for _, s := range r.series[member{family, first}] {
				if s.has(labels) && !yield(s) {
					return
				}
			}
		}
	}
}

// Sum adds up the series of the family that have all of the labels.
func (r Reading) Sum(family string, labels ...Label) float64 {
	total := 0.0
	for s := range r.all(family, labels) {
		total += s.value
	}
	return total
}

// Count is a sum that is no fraction.
func (r Reading) Count(family string, labels ...Label) int64 { return int64(r.Sum(family, labels...)) }

// Counts returns the counts of the family by the value of the label with that
// key, of the series that have the other labels.
func (r Reading) Counts(key, family string, labels ...Label) map[string]int64 {
	counts := map[string]int64{}
	for s := range r.all(family, labels) {
		if value, ok := s.label(key); ok {
			counts[value] += int64(s.value)
		}
	}
	return counts
}

// By is Counts without those at zero.
func (r Reading) By(key, family string, labels ...Label) map[string]int64 {
	counts := r.Counts(key, family, labels...)
	maps.DeleteFunc(counts, func(_ string, n int64) bool { return n == 0 })
	return counts
}
