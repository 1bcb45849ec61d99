package recordings

import (
	"fmt"
	"strconv"

	"github.com/mirrorgate/mirrorgate/fanout/compare/route"
	"github.com/mirrorgate/mirrorgate/fanout/record"
)

// Filter says which requests are wanted.
type Filter struct {
	routes  []route.Pattern // any of them; none: all
	classes []string        // like classOf; none: all
}

// NewFilter reads routes like "GET /api/shops/*/orders" and statuses of production like
// 404, 5xx or unknown.
func NewFilter(routes, statuses []string) (*Filter, error) {
	f := &Filter{}
	for _, text := range routes {
		p, err := route.ParsePattern(text)
		if err != nil {
			return nil, err
		}
		f.routes = append(f.routes, p)
	}
	for _, s := range statuses {
		n, err := strconv.Atoi(s)
		class := len(s) == 3 && s[0] >= '1' && s[0] <= '9' && s[1:] == "xx"
		if !class && s != unknown && (err != nil || n < 100 || n > 999) {
			return nil, fmt.Errorf("--status %q: should be like 404, 5xx or %s", s, unknown)
		}
		f.classes = append(f.classes, s)
	}
	return f, nil
}

// unknown is the status that HAProxy did not tell.
const unknown = "unknown"

// statusOf returns the status as a text, and its class.
func statusOf(status int) (text, class string) {
	if status == 0 {
		return unknown, unknown
	}
	text = strconv.Itoa(status)
	return text, text[:1] + "xx"
}

func (f *Filter) wants(r *record.Record, q *request) bool {
	if len(f.routes) > 0 {
		found := false
		for _, p := range f.routes {
			found = found || p.Match(q.method, q.path())
		}
		if !found {
			return false
		}
	}
	if len(f.classes) == 0 {
		return true
	}
	text, class := statusOf(r.Status)
	for _, c := range f.classes {
		if c == text || c == class {
			return true
		}
	}
	return false
}
