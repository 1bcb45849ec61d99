package verdict

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/mirrorgate/mirrorgate/fanout/compare"
	"github.com/mirrorgate/mirrorgate/fanout/compare/route"
	"github.com/mirrorgate/mirrorgate/fanout/compare/tally"
)

const (
	// alpha is the probability of a wrong verdict, over all looks and hypotheses.
	alpha = 0.01
	// minHypotheses is over how many hypotheses alpha is split at the least. Those that
	// turn up later lower the level of all: of up to so many the sum of the levels is
	// alpha, and of H it stays below alpha × (1 + ln(H/minHypotheses)).
	minHypotheses = 50
	// minShare of the pairs lets a route hold up the verdict.
	minShare = 0.01
	// maxUnknown is the share of pairs that may be unpaired or uncompared.
	maxUnknown = 0.05
	// always is the share of pairs from which a value is said to differ always.
	always = 0.9
	// minAlways is of how many pairs that is said at the least.
	minAlways = 10
)

// judge is a verdict in the making.
type judge struct {
	rule    Rule
	triples bool
	level   float64 // the negative logarithm of a hypothesis's level
	pairs   float64
	factor  float64 // by how much there must be more pairs; 1 or more
	v       *Verdict
}

// Judge says what the counts mean. The summary, which is settled by it, may be the
// sum of several hosts; silent are those that did not answer.
func Judge(s *tally.Summary, rule Rule, silent ...string) *Verdict {
	s.Settle()
	whole := s.Whole()
	v := &Verdict{
		Target: s.Target, Against: s.Against, Noise: s.Noise, Hosts: s.Hosts,
		Pairs: whole.Results.Pairs(), Explained: whole.Explained,
		Unpaired: s.UnpairedPairs(), Uncompared: whole.Results[compare.Uncompared],
		Routes: []Route{}, Why: []string{}, Ignore: []string{},
	}
	j := &judge{rule: rule, triples: s.Noise != "", pairs: float64(v.Pairs), factor: 1, v: v}
	hypotheses := 1 + len(s.Routes)
	for _, r := range s.Routes {
		hypotheses += len(r.Fields)
	}
	if rule.Latency != nil {
		hypotheses++
	}
	j.level = math.Log(float64(max(hypotheses, minHypotheses)) / alpha)

	differs, open := j.routes(s, whole)
	if rule.Latency != nil {
		j.latency(whole)
		differs = differs || v.Latency.Verdict == Differs
		open = open || v.Latency.Verdict == NotYet
	}
	j.doubts(silent)
	switch {
	case differs:
		v.Verdict = Differs
	case open || len(v.Why) > 0:
		v.Verdict = NotYet
		if len(v.Why) == 0 {
			j.more(s.Seconds)
		}
	default:
		v.Verdict = Alike
	}
	v.Sentence = sentence(v, rule)
	return v
}

// routes judges the whole, each route and each field.
func (j *judge) routes(s *tally.Summary, whole *tally.Route) (differs, open bool) {
	all := share{n: float64(whole.Explained), triples: j.triples}
	for _, r := range s.Routes {
		judged, of := j.route(r)
		all.differs += of.differs
		all.noise += of.noise
		differs = differs || judged.Verdict == Differs
		open = open || judged.Verdict == NotYet && !judged.TooFew
		j.v.Routes = append(j.v.Routes, judged)
	}
	slices.SortStableFunc(j.v.Routes, func(a, b Route) int {
		return cmp.Or(cmp.Compare(rank(b.Verdict), rank(a.Verdict)), cmp.Compare(b.Excess.Value, a.Excess.Value), cmp.Compare(b.Pairs, a.Pairs))
	})
	j.v.Excess = j.bounds(all)
	switch j.decide(all) {
	case Differs:
		differs = true
	case NotYet:
		open = true
		j.wait(all)
	}
	return differs, open
}

func rank(verdict string) int {
	if verdict == Differs {
		return 1
	}
	return 0
}

func (j *judge) decide(s share) string {
	switch {
	case s.above(j.rule.Tolerance, j.level):
		return Differs
	case s.within(j.rule.Tolerance, j.level):
		return Alike
	}
	return NotYet
}

func (j *judge) bounds(s share) Share {
	low, high := s.bounds(j.level)
	return Share{s.excess(), low, high}
}

// route judges one route by what differs in it otherwise than noise does. Without a
// second copy, a value that differs always cannot be told from noise: then only
// pairs that differ in more than values count.
func (j *judge) route(r *tally.Route) (Route, share) {
	of := share{float64(r.Explained), float64(r.Excess.Differs), float64(r.Excess.Noise), j.triples}
	judged := Route{
		Route: r.Name, Pairs: r.Results.Pairs(), Explained: r.Explained,
		Differs: r.Excess.Differs, Noise: r.Excess.Noise,
		Fields: []Field{}, TooFew: float64(r.Results.Pairs()) < minShare*j.pairs,
		Reference: quantiles(&r.Reference), Response: quantiles(&r.Target),
	}
	sure, unclear := false, false
	for i := range r.Fields {
		f := j.field(r, &r.Fields[i])
		sure = sure || f.Sure
		unclear = unclear || f.Always
		judged.Fields = append(judged.Fields, f)
	}
	slices.SortStableFunc(judged.Fields, func(a, b Field) int {
		if a.Sure != b.Sure {
			return cmp.Compare(b2i(b.Sure), b2i(a.Sure))
		}
		return cmp.Or(cmp.Compare(b2i(a.Always), b2i(b.Always)), cmp.Compare(b.Excess, a.Excess))
	})
	if unclear {
		of.differs = float64(r.Hard)
	}
	judged.Excess = j.bounds(of)
	judged.Verdict = j.decide(of)
	switch {
	case sure:
		judged.Verdict = Differs
	case judged.Verdict == NotYet && !judged.TooFew:
		j.wait(of)
	}
	return judged, of
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (j *judge) field(r *tally.Route, f *tally.Field) Field {
	of := share{float64(r.Explained), float64(f.Differs - f.Both), float64(f.Noise - f.Both), j.triples}
	judged := Field{Field: placeOf(f.Field), Kind: f.Kind, Differs: f.Differs - f.Both, Noise: f.Noise - f.Both, Both: f.Both, Excess: of.excess()}
	if !j.triples && r.Explained >= minAlways && isValue(f.Field) && float64(f.Differs) > always*of.n {
		judged.Always = true
		if rule := ignoreRule(r.Name, f.Field); rule != "" && !slices.Contains(j.v.Ignore, rule) {
			j.v.Ignore = append(j.v.Ignore, rule)
		}
		return judged
	}
	judged.Sure = of.above(j.rule.Tolerance, j.level)
	return judged
}

func isValue(f compare.Field) bool {
	return f.Kind == compare.Value && (f.Layer == compare.Header || f.Layer == compare.Body)
}

func placeOf(f compare.Field) string {
	f.Kind = compare.Value
	return f.String()
}

// ignoreRule is the rule that takes a field out of account. A body as a whole goes
// with its path, up to what was folded.
func ignoreRule(name string, f compare.Field) string {
	switch {
	case f.Layer == compare.Header:
		return "header:" + f.Path
	case f.Path != "" && f != compare.OtherField:
		return "json:" + f.Path
	}
	_, path, ok := strings.Cut(name, " ")
	path, _, _ = strings.Cut(path, route.ID)
	path, _, _ = strings.Cut(path, "*")
	if !ok || path == "/" {
		return ""
	}
	return "path:" + path
}

func (j *judge) latency(whole *tally.Route) {
	rule := j.rule.Latency
	r := compareQuantiles(&whole.Reference, &whole.Target, rule.Quantile, j.level)
	l := &Latency{Rule: rule.String(), Verdict: NotYet, Change: r.change, Low: r.low}
	if !math.IsInf(r.high, 1) {
		l.High = &r.high
	}
	switch {
	case r.low > rule.Slower:
		l.Verdict = Differs
	case r.high <= rule.Slower:
		l.Verdict = Alike
	default:
		j.factor = max(j.factor, latencyFactor(r, rule.Slower))
	}
	j.v.Latency = l
}

// doubts are what no number of pairs takes away.
func (j *judge) doubts(silent []string) {
	v := j.v
	if len(silent) > 0 {
		v.Why = append(v.Why, "no response from "+strings.Join(silent, ", "))
	}
	all := float64(v.Pairs + v.Unpaired)
	if share := float64(v.Unpaired+v.Uncompared) / max(all, 1); share > maxUnknown {
		v.Why = append(v.Why, fmt.Sprintf("%s of the pairs are unpaired (%s) or uncompared (%s)", percent(share), count(v.Unpaired), count(v.Uncompared)))
	}
	unclear := 0
	for _, r := range v.Routes {
		for _, f := range r.Fields {
			if f.Always {
				unclear++
			}
		}
	}
	if unclear > 0 {
		v.Why = append(v.Why, fmt.Sprintf("%s that may mean nothing %s always: ignore what does not matter, or give noise= a second copy of %s",
			plural(unclear, "value"), verb(unclear), v.Against))
	}
}

func quantiles(h *tally.Histogram) Quantiles {
	return Quantiles{h.Quantile(.5).Seconds(), h.Quantile(.9).Seconds(), h.Quantile(.99).Seconds()}
}
