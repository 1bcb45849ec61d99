package recordings

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/admin"
	"github.com/mirrorgate/mirrorgate/fanout/compare/route"
	"github.com/mirrorgate/mirrorgate/fanout/record"
)

const (
	keptRoutes  = 4096 // all others count as one
	shownRoutes = 20
	shownTimes  = 24 // lines at most
)

// Stat counts requests. It is a Writer that writes nothing but its Report.
type Stat struct {
	requests, bytes int64
	first, last     int64            // nanoseconds since 1970
	seconds         map[int64]int64  // requests by second
	classes         map[string]int64 // of production's status
	routes          map[string]int64
	name            []byte // scratch
}

// NewStat counts nothing yet.
func NewStat() *Stat {
	return &Stat{seconds: map[int64]int64{}, classes: map[string]int64{}, routes: map[string]int64{}}
}

func (s *Stat) write(r *record.Record, q request) error {
	if s.requests == 0 {
		s.first, s.last = r.Time, r.Time
	}
	s.requests++
	s.bytes += int64(len(r.Wire))
	s.first, s.last = min(s.first, r.Time), max(s.last, r.Time)
	s.seconds[r.Time/int64(time.Second)]++
	_, class := statusOf(r.Status)
	s.classes[class]++
	s.name = route.Namer{}.AppendName(s.name[:0], q.method, q.target)
	if _, known := s.routes[string(s.name)]; !known && len(s.routes) >= keptRoutes {
		s.routes[route.Other]++
	} else {
		s.routes[string(s.name)]++
	}
	return nil
}

func (s *Stat) end() error { return nil }

// Report writes what was counted.
func (s *Stat) Report(w io.Writer) {
	fmt.Fprintf(w, "requests  %d, %d bytes\n", s.requests, s.bytes)
	if s.requests == 0 {
		return
	}
	span := time.Duration(s.last - s.first)
	peak := slices.MaxFunc(slices.Collect(maps.Keys(s.seconds)), func(a, b int64) int {
		return cmp.Or(cmp.Compare(s.seconds[a], s.seconds[b]), cmp.Compare(b, a))
	})
	fmt.Fprintf(w, "from      %s\n", time.Unix(0, s.first).Format(timeLayout))
	fmt.Fprintf(w, "to        %s, %v\n", time.Unix(0, s.last).Format(timeLayout), span.Round(time.Millisecond))
	fmt.Fprintf(w, "peak      %d/s at %s\n", s.seconds[peak], time.Unix(peak, 0).Format(time.DateTime))
	var classes []string
	for _, class := range slices.Sorted(maps.Keys(s.classes)) {
		classes = append(classes, fmt.Sprintf("%s %d", class, s.classes[class]))
	}
	fmt.Fprintf(w, "status    %s\n", strings.Join(classes, ", "))
	s.reportTimes(w)
	s.reportRoutes(w)
}

// steps are how much time a line may stand for.
var steps = []time.Duration{time.Second, 10 * time.Second, time.Minute, 10 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour}

func (s *Stat) reportTimes(w io.Writer) {
	step := steps[len(steps)-1]
	for _, d := range slices.Backward(steps) {
		if (s.last-s.first)/int64(d) < shownTimes {
			step = d
		}
	}
	counts := map[int64]int64{}
	for second, n := range s.seconds {
		counts[second/int64(step/time.Second)] += n
	}
	fmt.Fprintf(w, "\n%10s  TIME, BY %v\n", "REQUESTS", step)
	for _, at := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(w, "%10d  %s\n", counts[at], time.Unix(at*int64(step/time.Second), 0).Format(time.DateTime))
	}
}

func (s *Stat) reportRoutes(w io.Writer) {
	names := slices.SortedFunc(maps.Keys(s.routes), func(a, b string) int {
		return cmp.Or(cmp.Compare(s.routes[b], s.routes[a]), cmp.Compare(a, b))
	})
	fmt.Fprintf(w, "\n%10s  ROUTE\n", "REQUESTS")
	for i, name := range names {
		if i == shownRoutes {
			fmt.Fprintf(w, "%10s  and %d more\n", "", len(names)-i)
			return
		}
		fmt.Fprintf(w, "%10d  %s\n", s.routes[name], admin.Printable(name))
	}
}
