package verdict

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/mirrorgate/mirrorgate/fanout/compare"
)

// namedRoutes is how many routes, and of each how many fields, a sentence names.
const namedRoutes = 3

func sentence(v *Verdict, rule Rule) string {
	within := "within " + percent(rule.Tolerance)
	var parts []string
	switch v.Verdict {
	case Differs:
		parts = append(parts, differing(v, within)...)
	case Alike:
		parts = append(parts, fmt.Sprintf("%s is like %s %s: %s pairs", v.Target, v.Against, within, count(v.Pairs)))
	default:
		parts = append(parts, fmt.Sprintf("not yet: %s pairs of %s and %s", count(v.Pairs), v.Target, v.Against))
		parts = append(parts, v.Why...)
		if v.MorePairs != nil {
			parts = append(parts, needs(v))
		}
	}
	if few := tooFew(v); few != "" {
		parts = append(parts, few)
	}
	if l := v.Latency; l != nil {
		parts = append(parts, latencySentence(l))
	}
	if v.Explained < v.Pairs && v.Explained > 0 {
		parts = append(parts, fmt.Sprintf("%s of the pairs explained", count(v.Explained)))
	}
	return strings.Join(parts, "; ")
}

// differing names the worst routes, and says of the rest what is known.
func differing(v *Verdict, within string) (parts []string) {
	var routes []string
	rest, more := Alike, 0
	for _, r := range v.Routes {
		switch {
		case r.Verdict != Differs:
			if r.Verdict == NotYet && !r.TooFew {
				rest = NotYet
			}
		case len(routes) == namedRoutes:
			more++
		default:
			differs := r.Differs
			if len(r.Fields) > 0 && r.Fields[0].Sure {
				differs = r.Fields[0].Differs
			}
			routes = append(routes, fmt.Sprintf("%s of %s (%s), %s of %s pairs",
				percent(float64(differs)/max(float64(r.Explained), 1)), r.Route, worstFields(r.Fields), count(differs), count(r.Explained)))
		}
	}
	if more > 0 {
		routes = append(routes, "and "+plural(more, "more route"))
	}
	switch {
	case len(routes) > 0:
		parts = append(parts, fmt.Sprintf("%s differs from %s in %s", v.Target, v.Against, strings.Join(routes, ", ")))
	case v.Excess.Low > 0 && (v.Latency == nil || v.Latency.Verdict != Differs):
		parts = append(parts, fmt.Sprintf("%s differs from %s in %s of all pairs, no route alone", v.Target, v.Against, percent(v.Excess.Value)))
	default:
		parts = append(parts, fmt.Sprintf("%s differs from %s in its latency", v.Target, v.Against))
	}
	if rest == Alike {
		parts = append(parts, "everything else alike "+within)
	} else {
		parts = append(parts, "of other routes it is too early to say")
	}
	return append(parts, v.Why...)
}

func worstFields(fields []Field) string {
	var names []string
	for i, f := range fields {
		if len(names) == namedRoutes || i > 0 && !f.Sure {
			break
		}
		name := f.Field
		failed := strings.HasPrefix(name, "error: ")
		if f.Kind != compare.Value && !(failed && f.Kind == compare.Extra) {
			name += " " + f.Kind.String()
		}
		names = append(names, name)
		if failed || strings.HasPrefix(name, "status: ") {
			break // what else differs follows from it
		}
	}
	return strings.Join(names, ", ")
}

func needs(v *Verdict) string {
	s := fmt.Sprintf("%s more pairs", count(*v.MorePairs))
	if v.MoreSeconds != nil && *v.MoreSeconds < 1e9 {
		s += ", at this rate " + time.Duration(math.Ceil(*v.MoreSeconds)*1e9).String() + ","
	}
	return s + " would tell"
}

func tooFew(v *Verdict) string {
	n := 0
	for _, r := range v.Routes {
		if r.TooFew && r.Verdict == NotYet {
			n++
		}
	}
	if n == 0 {
		return ""
	}
	return "too few pairs of " + plural(n, "route") + " to say"
}

func latencySentence(l *Latency) string {
	name, _, _ := strings.Cut(l.Rule, "+")
	if l.High == nil {
		return name + " not known yet"
	}
	return fmt.Sprintf("%s %s (%s to %s)", name, signed(l.Change), signed(l.Low), signed(*l.High))
}

func signed(x float64) string {
	if x < 0 {
		return "−" + percent(-x)
	}
	return "+" + percent(x)
}

// percent writes a share with two digits.
func percent(x float64) string {
	x *= 100
	digits := 0
	for limit := 10.0; x > 0 && x < limit && digits < 4; limit /= 10 {
		digits++
	}
	s := strconv.FormatFloat(x, 'f', digits, 64)
	if digits > 0 {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s + " %"
}

// count writes a number with a comma for each thousand.
func count(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func plural(n int, what string) string {
	if n == 1 {
		return "one " + what
	}
	return count(int64(n)) + " " + what + "s"
}

func verb(n int) string {
	if n == 1 {
		return "differs"
	}
	return "differ"
}
