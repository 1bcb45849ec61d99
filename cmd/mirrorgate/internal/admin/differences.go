package admin

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/difference"
	"github.com/mirrorgate/mirrorgate/fanout"
	"github.com/mirrorgate/mirrorgate/fanout/compare/example"
)

// serveDifferences shows what the target of the query made of requests that its
// reference made something else of; without one, those that targets answered with
// another status than production.
func (s *Server) serveDifferences(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	if !query.Has("target") {
		s.serveStatusDifferences(w)
		return
	}
	list, err := s.differences(query.Get("target"), query.Get("route"), query.Get("field"))
	switch {
	case err != nil:
		writeError(w, http.StatusNotFound, err)
	case query.Get("format") == "har":
		w.Header().Set("Content-Disposition", `attachment; filename="mirrorgate.har"`)
		writeJSON(w, http.StatusOK, list.Archive(s.cfg.Version))
	default:
		writeJSON(w, http.StatusOK, list)
	}
}

// differences are the examples of a target; of a route and of a field, unless these
// are empty.
func (s *Server) differences(target, route, field string) (*difference.List, error) {
	examples, err := s.fanout.Examples(target, route, "")
	if err != nil {
		return nil, err
	}
	if field != "" {
		examples = slices.DeleteFunc(examples, func(e *example.Example) bool { return !difference.Has(e, field) })
	}
	list := &difference.List{Target: target}
	for _, c := range s.fanout.Compared() {
		if c.Target == target {
			list.Against = c.Against
		}
	}
	list.Examples = difference.Of(examples, s.urlOf(target))
	return list, nil
}

// urlOf returns the URL of a target, without a password.
func (s *Server) urlOf(target string) *url.URL {
	for _, g := range s.fanout.Groups() {
		for _, t := range g.Targets {
			if t.Name != target {
				continue
			}
			if u, err := url.Parse(t.URL); err == nil {
				return u
			}
		}
	}
	return &url.URL{Scheme: "http", Host: target} // it was removed a moment ago
}

func (s *Server) serveStatusDifferences(w http.ResponseWriter) {
	differences := s.fanout.Differences()
	for i := range differences {
		d := &differences[i]
		d.Method, d.Path, d.ID = Printable(d.Method), Printable(d.Path), Printable(d.ID)
	}
	writeJSON(w, http.StatusOK, struct {
		Differences []fanout.Difference `json:"differences"`
	}{differences})
}
