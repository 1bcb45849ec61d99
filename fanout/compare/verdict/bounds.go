package verdict

import "math"

// share is a hypothesis: of n explained pairs or triples, differs have what the
// second copy has not, and noise the other way round. Its excess is
// (differs − noise) / n.
type share struct {
	n, differs, noise float64
	triples           bool // whether there is a second copy, so that noise is known
}

func (s share) excess() float64 {
	if s.n == 0 {
		return 0
	}
	return (s.differs - s.noise) / s.n
}

// excludes reports whether the data excludes that the true excess is x, at the
// level whose negative logarithm is given. It holds at all looks together: the
// evidence is a martingale if x is true, and by Ville's inequality exceeds 1/level at
// any time with a probability of level at the most.
//
// Of pairs the evidence is the beta-binomial mixture (Robbins, Ann. Math. Stat. 41,
// 1970; Howard et al., Ann. Stat. 49, 2021):
//
//	ln B(k+½, n−k+½) − ln B(½, ½) − k ln x − (n−k) ln(1−x)
//
// Of triples, of which each counts 1, 0 or −1, it is the capital of who bets that
// their mean is not x (Waudby-Smith and Ramdas, JRSS B 86, 2024), mixed over the
// stakes by the same arcsine law. At x = 0 that is the formula above for
// k = differs of n = differs + noise, and ½ for x.
func (s share) excludes(x, level float64) bool {
	if s.triples {
		return s.betting(x, level) >= level
	}
	return binomial(s.differs, s.n, x) >= level
}

func binomial(k, n, x float64) float64 {
	if x <= 0 || x >= 1 {
		if x <= 0 && k == 0 || x >= 1 && k == n {
			return 0
		}
		return math.Inf(1)
	}
	return lnBeta(k+.5, n-k+.5) - lnBeta(.5, .5) - k*math.Log(x) - (n-k)*math.Log1p(-x)
}

func lnBeta(a, b float64) float64 {
	x, _ := math.Lgamma(a)
	y, _ := math.Lgamma(b)
	z, _ := math.Lgamma(a + b)
	return x + y - z
}

// betting is the logarithm of the capital, mixed over the stakes sin φ between the
// largest ones that cannot lose more than there is. Below enough it may be too large.
func (s share) betting(x, enough float64) float64 {
	const edge = 1e-12
	x = min(max(x, -1+edge), 1-edge)
	low, high := -1/(1-x), 1/(1+x)
	middle, half := (low+high)/2, (high-low)/2
	same := s.n - s.differs - s.noise
	capital := func(phi float64) float64 {
		stake := middle + half*math.Sin(phi)
		return times(s.differs, stake*(1-x)) + times(s.noise, -stake*(1+x)) + times(same, -stake*x)
	}
	return lnMean(capital, -math.Pi/2, math.Pi/2, enough)
}

// times is n ln(1+y).
func times(n, y float64) float64 {
	if n == 0 {
		return 0
	}
	if y <= -1 {
		return math.Inf(-1)
	}
	return n * math.Log1p(y)
}

// lnMean is the logarithm of the mean of exp f over an interval in which f has one
// peak; or that of the peak, if it is below enough.
func lnMean(f func(float64) float64, from, to, enough float64) float64 {
	const (
		negligible = 40 // of the logarithm, below the peak
		steps      = 64
	)
	peak := maximum(f, from, to)
	top := f(peak)
	if top < enough {
		return top
	}
	edge := func(inside, outside float64) float64 {
		if f(outside) > top-negligible {
			return outside
		}
		for range 14 {
			if m := (inside + outside) / 2; f(m) > top-negligible {
				inside = m
			} else {
				outside = m
			}
		}
		return outside
	}
	a, b := edge(peak, from), edge(peak, to)
	width := (b - a) / steps
	var sum float64 // Simpson's rule
	for i := range steps + 1 {
		weight := float64(2 + 2*(i&1))
		if i == 0 || i == steps {
			weight = 1
		}
		sum += weight * math.Exp(f(a+float64(i)*width)-top)
	}
	return top + math.Log(sum*width/3/(to-from))
}

// maximum finds the peak by golden sections.
func maximum(f func(float64) float64, a, b float64) float64 {
	golden := (math.Sqrt(5) - 1) / 2
	c, d := b-golden*(b-a), a+golden*(b-a)
	fc, fd := f(c), f(d)
	for range 28 {
		if fc >= fd {
			b, d, fd = d, c, fc
			c = b - golden*(b-a)
			fc = f(c)
		} else {
			a, c, fc = c, d, fd
			d = a + golden*(b-a)
			fd = f(d)
		}
	}
	return (a + b) / 2
}

// above reports whether the lower bound of the excess is above the tolerance.
func (s share) above(tolerance, level float64) bool {
	return s.n > 0 && s.excess() > tolerance && s.excludes(tolerance, level)
}

// within reports whether the upper bound of the excess is at most the tolerance.
func (s share) within(tolerance, level float64) bool {
	return s.n > 0 && s.excess() <= tolerance && s.excludes(tolerance, level)
}

// bounds returns both bounds of the excess.
func (s share) bounds(level float64) (low, high float64) {
	least := 0.0
	if s.triples {
		least = -1
	}
	if s.n == 0 {
		return least, 1
	}
	mean := s.excess()
	return s.bound(mean, least, level), s.bound(mean, 1, level)
}

// bound finds where the excluded values begin between the mean and the outermost
// value. It goes outwards from the mean in steps that double, starting with what a
// normal distribution would give, and then halves: so that a narrow interval takes no
// more looks than a wide one.
func (s share) bound(mean, outermost, level float64) float64 {
	const halvings = 7 // of a step that is about the width
	spread := math.Sqrt(2*level*(s.differs+s.noise+1)/s.n/s.n) + level/s.n
	inside, step := mean, math.Copysign(spread, outermost-mean)
	outside := mean + step
	for math.Abs(outside-mean) < math.Abs(outermost-mean) && !s.excludes(outside, level) {
		inside = outside
		step *= 2
		outside += step
	}
	if math.Abs(outside-mean) >= math.Abs(outermost-mean) {
		if outside = outermost; !s.excludes(outside, level) {
			return outside
		}
	}
	for range halvings {
		if m := (inside + outside) / 2; s.excludes(m, level) {
			outside = m
		} else {
			inside = m
		}
	}
	return outside
}
