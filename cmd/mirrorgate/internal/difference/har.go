package difference

import (
	"strings"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/export"
	"github.com/mirrorgate/mirrorgate/fanout/compare/example"
)

// Archive makes an archive of the examples: of each, what the reference said, then
// what the target did.
func (l *List) Archive(version string) *export.HAR {
	h := export.NewHAR(version)
	for i := range l.Examples {
		d := &l.Examples[i]
		comment := ", differs in " + strings.Join(d.Names, ", ")
		h.Log.Entries = append(h.Log.Entries, d.entry(&d.Against, l.Against+comment), d.entry(&d.Mirror, l.Target+comment))
	}
	return h
}

func (d *Difference) entry(s *example.Side, comment string) export.Entry {
	e := export.NewEntry(d.Time, d.request())
	e.Respond(s.Status, s.Header, s.Body, s.Seconds*1e3)
	e.Response.Error, e.Comment = s.Error, comment
	return e
}

// request is the one that both responses are to, sent to the target.
func (d *Difference) request() *export.Request {
	return &export.Request{Method: d.Method, URL: d.URL, Header: d.Header, Body: d.Body}
}
