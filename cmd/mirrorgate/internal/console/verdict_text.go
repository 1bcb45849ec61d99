package console

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/mirrorgate/mirrorgate/fanout/compare"
	"github.com/mirrorgate/mirrorgate/fanout/compare/verdict"
)

const (
	shownRoutes = 20
	shownFields = 5 // of each route
)

// WriteVerdict writes the sentence and a table of the routes.
func WriteVerdict(w io.Writer, v *verdict.Verdict) error {
	var b strings.Builder
	writeLine(&b, "%s", v.Sentence)
	writeRoutes(&b, v)
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteNext writes what to do next, if there is something to do. ask is the part of
// the command line that says where it was asked.
func WriteNext(w io.Writer, v *verdict.Verdict, ask string) error {
	lines := next(v, ask)
	if len(lines) == 0 {
		return nil
	}
	var b strings.Builder
	fmt.Fprintln(&b)
	for _, line := range lines {
		writeLine(&b, "%s", line)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeRoutes(w io.Writer, v *verdict.Verdict) {
	if len(v.Routes) == 0 {
		return
	}
	rows := [][]string{{"ROUTE", "PAIRS", "DIFFERS", "NOISE", "P50", "P99", "VERDICT"}}
	for i, r := range v.Routes {
		if i == shownRoutes {
			rows = append(rows, []string{fmt.Sprintf("and %d more (--json has all)", len(v.Routes)-i)})
			break
		}
		rows = append(rows, routeRow(v, &r))
		for j, f := range r.Fields {
			if j == shownFields {
				rows = append(rows, []string{fmt.Sprintf("  and %d more", len(r.Fields)-j)})
				break
			}
			rows = append(rows, fieldRow(v, &r, &f))
		}
	}
	fmt.Fprintln(w)
	writeGrid(w, rows)
}

func routeRow(v *verdict.Verdict, r *verdict.Route) []string {
	word := strings.ReplaceAll(r.Verdict, "_", " ")
	if r.TooFew && r.Verdict == verdict.NotYet {
		word = "too few to say"
	}
	return []string{
		r.Route, pairs(r.Pairs), shareOf(r.Differs, r.Explained), noiseOf(v, r.Noise, r.Explained),
		beside(r.Reference.P50, r.Response.P50), beside(r.Reference.P99, r.Response.P99), word,
	}
}

func fieldRow(v *verdict.Verdict, r *verdict.Route, f *verdict.Field) []string {
	word := ""
	switch {
	case f.Always:
		word = "always"
	case f.Sure:
		word = verdict.Differs
	case f.Differs <= f.Noise:
		word = "noise"
	}
	return []string{"  " + fieldName(f), "", shareOf(f.Differs+f.Both, r.Explained), noiseOf(v, f.Noise+f.Both, r.Explained), "", "", word}
}

// fieldName is the name by which differences are asked for.
func fieldName(f *verdict.Field) string {
	if f.Kind == compare.Value {
		return f.Field
	}
	return f.Field + " (" + f.Kind.String() + ")"
}

func pairs(n int64) string {
	const exact = 10_000
	if n < exact {
		return strconv.FormatInt(n, 10)
	}
	return shortCount(float64(n))
}

func shareOf(n, of int64) string {
	if of == 0 {
		return "-"
	}
	return shortShare(float64(n) / float64(of))
}

func noiseOf(v *verdict.Verdict, n, of int64) string {
	if v.Noise == "" {
		return "-"
	}
	return shareOf(n, of)
}

// beside are the times of the reference and of the target.
func beside(reference, target float64) string {
	if reference == 0 && target == 0 {
		return "-"
	}
	return shortTime(&reference) + " → " + shortTime(&target)
}

// next says what to do.
func next(v *verdict.Verdict, ask string) (lines []string) {
	switch v.Verdict {
	case verdict.Differs:
		example := "mirrorgate differences " + v.Target + ask
		if len(v.Routes) > 0 && v.Routes[0].Verdict == verdict.Differs {
			example += " --route " + quoteShell(v.Routes[0].Route)
			if fields := v.Routes[0].Fields; len(fields) > 0 {
				example += " --field " + quoteShell(fieldName(&fields[0]))
			}
		}
		lines = append(lines, "See both responses: "+example)
	case verdict.NotYet:
		wait := "30m"
		if v.MoreSeconds != nil && *v.MoreSeconds < (24*time.Hour).Seconds() {
			wait = time.Duration(1.5 * max(*v.MoreSeconds, 40) * float64(time.Second)).Round(time.Minute).String()
		}
		if len(v.Ignore) > 0 {
			lines = append(lines, "What differs always counts until it is ignored. If it means nothing, start mirrorgate with")
			for _, rule := range v.Ignore {
				lines = append(lines, "    --ignore "+quoteShell(rule))
			}
		}
		lines = append(lines, "Wait for it: mirrorgate verdict "+v.Target+ask+" --wait "+strings.TrimSuffix(wait, "0s"))
	}
	return lines
}

// quoteShell writes a word as a shell reads it.
func quoteShell(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
