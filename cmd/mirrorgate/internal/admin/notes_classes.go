package admin

import "fmt"

// fewResponses are too few in the window to say anything of their classes.
const fewResponses = 10

// unlikely says from which share on responses of a class are a matter of the target,
// if there is no other to compare with: caches and logins make many 3xx.
var unlikely = map[string]float64{"3xx": 0.95, "4xx": 0.5}

// unlike is by how much the share may be above that of the other targets.
const unlike = 0.2

// classTexts say of classes what may be behind them.
var classTexts = map[string]string{
	"3xx":   "does it redirect to another host, or to https? Then host=target may help.",
	"4xx":   "does it expect credentials (set-header), or another Host (host=target)?",
	"5xx":   "its own log tells.",
	"other": "these are status codes above 599.",
}

// classes says which classes of responses the target has more of than the others, or
// than any should have.
func (s *Stats) classes(t *TargetStats) []Note {
	var notes []Note
	for _, class := range positive(t.ResponseRate) {
		share := t.ResponseRate[class] / sum(t.ResponseRate)
		most, known := s.elsewhere(t, class)
		if classTexts[class] == "" || unlikely[class] > 0 && !s.suspicious(t, class, share) {
			continue
		}
		level, others := "warn", ""
		if share >= 0.5 && share >= most+unlike {
			level = "bad"
		}
		if known {
			others = fmt.Sprintf(", other targets to %s at most", formatPercent(most))
		}
		notes = append(notes, Note{level, fmt.Sprintf("%s responds with %s to %s of its requests%s: %s",
			t.Name, class, rateAndShare(t.ResponseRate[class], sum(t.ResponseRate)), others, classTexts[class])})
	}
	return notes
}

// suspicious reports whether the target has more responses of a class than others
// have. Where its responses are compared, that tells better.
func (s *Stats) suspicious(t *TargetStats, class string, share float64) bool {
	if sum(t.CompareRate) > 0 || !s.enough(t) {
		return false
	}
	if most, known := s.elsewhere(t, class); known {
		return share >= most+unlike
	}
	return share >= unlikely[class]
}

func (s *Stats) enough(t *TargetStats) bool { return sum(t.ResponseRate)*s.Window >= fewResponses }

// elsewhere returns the largest share of the class among the other targets; known is
// false if none has responded enough.
func (s *Stats) elsewhere(t *TargetStats, class string) (most float64, known bool) {
	for i := range s.Groups {
		for j := range s.Groups[i].Targets {
			other := &s.Groups[i].Targets[j]
			if other != t && s.enough(other) {
				most, known = max(most, other.ResponseRate[class]/sum(other.ResponseRate)), true
			}
		}
	}
	return most, known
}

func sum(rates map[string]float64) (all float64) {
	for _, rate := range rates {
		all += rate
	}
	return all
}
