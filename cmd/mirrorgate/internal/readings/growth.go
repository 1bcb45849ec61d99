package readings

// Growth is what was counted between two readings, and how long that took. A
// counter that is new, or fell because it is that of another target of the same
// name, began at zero.
type Growth struct {
	Reading
	Seconds float64
}

// Since returns what was counted after an earlier reading.
func (r Reading) Since(before Reading) Growth {
	growth := make(map[member][]series, len(r.series))
	for m, after := range r.series {
		growth[m] = grown(before.series[m], after)
	}
	return Growth{Reading{r.At, r.members, growth}, r.At.Sub(before.At).Seconds()}
}

func grown(before, after []series) []series {
	all := make([]series, len(after))
	for i, s := range after {
		all[i] = series{s.labels, max(s.value-valueOf(s.labels, i, before), 0)}
	}
	return all
}

// valueOf returns the value of the series with the labels, most likely at i.
func valueOf(labels string, i int, all []series) float64 {
	if i < len(all) && all[i].labels == labels {
		return all[i].value
	}
	for _, s := range all {
		if s.labels == labels {
			return s.value
		}
	}
	return 0
}

// Rate is what was counted in a second, 0 if no time has passed.
func (g Growth) Rate(family string, labels ...Label) float64 {
	return g.perSecond(g.Sum(family, labels...))
}

// Rates are by the value of the label with that key.
func (g Growth) Rates(key, family string, labels ...Label) map[string]float64 {
	rates := map[string]float64{}
	for value, count := range g.Counts(key, family, labels...) {
		rates[value] = g.perSecond(float64(count))
	}
	return rates
}

func (g Growth) perSecond(n float64) float64 {
	if g.Seconds <= 0 {
		return 0
	}
	return n / g.Seconds
}
