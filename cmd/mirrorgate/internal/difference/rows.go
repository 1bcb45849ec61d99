package difference

import (
	"slices"
	"strconv"
	"strings"

	"github.com/mirrorgate/mirrorgate/fanout/compare"
	"github.com/mirrorgate/mirrorgate/fanout/compare/example"
)

// Mark says how both sides of a Row compare.
type Mark string

const (
	Same    Mark = "same"
	Differs Mark = "differs"
	Ignored Mark = "ignored" // they differ, but it does not count
)

// Row is a line of both responses.
type Row struct {
	Part    string `json:"part"` // status, header or body
	Against string `json:"against"`
	Mirror  string `json:"mirror"`
	Mark    Mark   `json:"mark"`
	Field   string `json:"field,omitempty"` // that it differs in, as a verdict has it
}

func rows(e *example.Example) []Row {
	w := writer{fields: e.Fields}
	w.add("status", statusText(&e.Against), statusText(&e.Mirror), func(f compare.Field) bool {
		return f.Layer == compare.Status || f.Layer == compare.Error
	})
	w.header(e)
	w.body(&e.Against, &e.Mirror)
	return w.rows
}

// writer writes rows, and knows what differs.
type writer struct {
	fields []compare.Field
	rows   []Row
}

// add writes a row. If both sides differ, is tells the field that it belongs to.
func (w *writer) add(part, against, mirror string, is func(compare.Field) bool) {
	r := Row{part, against, mirror, Same, ""}
	if against != mirror {
		r.Mark = Ignored
		if i := slices.IndexFunc(w.fields, is); i >= 0 {
			r.Mark, r.Field = Differs, w.fields[i].String()
		}
	}
	w.rows = append(w.rows, r)
}

func statusText(s *example.Side) string {
	if s.Error != "" {
		return s.Error
	}
	return strconv.Itoa(s.Status)
}

// header has the fields of the reference in order, then those that only the target
// has.
func (w *writer) header(e *example.Example) {
	against, mirror := fieldsOf(e.Against.Header), fieldsOf(e.Mirror.Header)
	done := map[string]bool{}
	for _, f := range slices.Concat(against, mirror) {
		name := strings.ToLower(f.name)
		if done[name] {
			continue
		}
		done[name] = true
		x, y := linesOf(against, name), linesOf(mirror, name)
		for i := range max(len(x), len(y)) {
			w.add("header", at(x, i), at(y, i), func(f compare.Field) bool {
				path, _, _ := strings.Cut(f.Path, ":")
				return f.Layer == compare.Header && path == name
			})
		}
	}
}

type field struct{ name, line string }

// fieldsOf splits a header section into its field lines.
func fieldsOf(header string) (all []field) {
	for line := range strings.Lines(header) {
		line = strings.TrimRight(line, "\r\n")
		if name, _, ok := strings.Cut(line, ":"); ok {
			all = append(all, field{name, line})
		}
	}
	return all
}

func linesOf(fields []field, name string) (lines []string) {
	for _, f := range fields {
		if strings.EqualFold(f.name, name) {
			lines = append(lines, f.line)
		}
	}
	return lines
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return ""
}

func (w *writer) body(against, mirror *example.Side) {
	if w.json(against.Body, mirror.Body) {
		return
	}
	x, y := bodyLines(against), bodyLines(mirror)
	for i := range max(len(x), len(y)) {
		w.add("body", at(x, i), at(y, i), func(f compare.Field) bool { return f.Layer == compare.Body })
	}
}

// bodyLines has a form's pairs each in a line.
func bodyLines(s *example.Side) []string {
	if s.Body == "" {
		return nil
	}
	text := s.Body
	for _, f := range fieldsOf(s.Header) {
		if strings.EqualFold(f.name, "content-type") && strings.Contains(strings.ToLower(f.line), "x-www-form-urlencoded") {
			text = strings.ReplaceAll(text, "&", "&\n")
		}
	}
	return strings.Split(strings.TrimRight(text, "\n"), "\n")
}
