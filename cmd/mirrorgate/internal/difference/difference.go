package difference

import (
	"net/url"
	"strings"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/export"
	"github.com/mirrorgate/mirrorgate/fanout/compare"
	"github.com/mirrorgate/mirrorgate/fanout/compare/example"
)

// Difference is an example with what is made of it.
type Difference struct {
	*example.Example
	Names []string `json:"names"` // of the fields, as a verdict has them
	Rows  []Row    `json:"rows"`  // both responses, side by side
	URL   string   `json:"url"`   // of the request, at the target
	Curl  string   `json:"curl"`
}

// List are the examples of one target, as GET /api/differences gives them.
type List struct {
	Target   string       `json:"target"`
	Against  string       `json:"against"`
	Examples []Difference `json:"examples"` // the oldest first
}

// Of shows examples of a target with that URL.
func Of(examples []*example.Example, target *url.URL) []Difference {
	all := []Difference{}
	for _, e := range examples {
		d := Difference{Example: e, Names: []string{}, Rows: rows(e), URL: urlOf(target, e.Target)}
		for _, f := range e.Fields {
			d.Names = append(d.Names, f.String())
		}
		d.Curl = export.Curl(d.request())
		all = append(all, d)
	}
	return all
}

// urlOf joins a target's URL, whose path goes in front, and a request's target in
// origin-form.
func urlOf(target *url.URL, origin string) string {
	base := url.URL{Scheme: target.Scheme, Host: target.Host}
	if origin == "*" {
		return base.String()
	}
	return base.String() + strings.TrimSuffix(target.EscapedPath(), "/") + "/" + strings.TrimPrefix(origin, "/")
}

// Has reports whether an example differs in a field of that name: as a verdict has it,
// with or without the kind, or the path alone.
func Has(e *example.Example, name string) bool {
	for _, f := range e.Fields {
		plain := f
		plain.Kind = compare.Value
		if name == f.String() || name == plain.String() || name == f.Path && name != "" {
			return true
		}
	}
	return false
}
