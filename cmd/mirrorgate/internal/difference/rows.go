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
}

func rows(e *example.Example) []Row {
	all := []Row{row("status", statusText(&e.Against), statusText(&e.Mirror))}
	if e.Against.Error != "" || e.Mirror.Error != "" {
		all[0].Mark = Differs
	}
	all = append(all, headerRows(e)...)
	return append(all, bodyRows(&e.Against, &e.Mirror)...)
}

func row(part, against, mirror string) Row {
	r := Row{part, against, mirror, Same}
	if against != mirror {
		r.Mark = Differs
	}
	return r
}

func statusText(s *example.Side) string {
	if s.Error != "" {
		return s.Error
	}
	return strconv.Itoa(s.Status)
}

// headerRows has the fields of the reference in order, then those that only the target
// has.
func headerRows(e *example.Example) (all []Row) {
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
			r := row("header", at(x, i), at(y, i))
			if r.Mark == Differs && !counts(e, name) {
				r.Mark = Ignored
			}
			all = append(all, r)
		}
	}
	return all
}

// counts reports whether the header field of that name, in small letters, is among
// those that differ.
func counts(e *example.Example, name string) bool {
	return slices.ContainsFunc(e.Fields, func(f compare.Field) bool {
		path, _, _ := strings.Cut(f.Path, ":")
		return f.Layer == compare.Header && path == name
	})
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

func bodyRows(against, mirror *example.Side) []Row {
	if rows, ok := jsonRows(against.Body, mirror.Body); ok {
		return rows
	}
	x, y := bodyLines(against), bodyLines(mirror)
	var all []Row
	for i := range max(len(x), len(y)) {
		all = append(all, row("body", at(x, i), at(y, i)))
	}
	return all
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
