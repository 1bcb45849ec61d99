package verdict

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestExcludes(t *testing.T) {
	level := math.Log(100)
	f := func(s share, tolerance float64, want string) {
		t.Helper()
		got := (&judge{rule: Rule{Tolerance: tolerance}, level: level}).decide(s)
		if got != want {
			t.Errorf("%+v with a tolerance of %v is %s, want %s", s, tolerance, got, want)
		}
	}
	for _, triples := range []bool{false, true} {
		f(share{0, 0, 0, triples}, .001, NotYet)
		f(share{100, 0, 0, triples}, .001, NotYet)
		f(share{20000, 0, 0, triples}, .001, Alike)
		f(share{20, 20, 0, triples}, .001, Differs) // 401 to everything
		f(share{3000, 40, 0, triples}, .001, Differs)
		f(share{1e9, 1e6, 0, triples}, .001, NotYet)
		f(share{1e9, 1.1e6, 0, triples}, .001, Differs)
		f(share{1e9, .9e6, 0, triples}, .001, Alike)
	}
	f(share{1e6, 2e4, 2e4, true}, .002, Alike)
	f(share{1e6, 2e4, 1e4, true}, .002, Differs)
	f(share{1e4, 200, 200, true}, .001, NotYet)
	f(share{1e4, 0, 1000, true}, .001, Alike)
}

// TestBettingIsBinomialAtZero checks the integral against the closed form.
func TestBettingIsBinomialAtZero(t *testing.T) {
	for _, s := range []share{{1000, 60, 3, true}, {1e6, 5000, 4000, true}, {50, 50, 0, true}, {1e5, 0, 17, true}} {
		got, want := s.betting(0, math.Inf(-1)), binomial(s.differs, s.differs+s.noise, .5)
		if math.Abs(got-want) > 1e-3 {
			t.Errorf("%+v: capital is %v, want %v", s, got, want)
		}
	}
}

func TestBounds(t *testing.T) {
	f := func(s share, wantLow, wantHigh float64) {
		t.Helper()
		low, high := s.bounds(math.Log(100))
		if math.Abs(low-wantLow) > 1e-4 || math.Abs(high-wantHigh) > 1e-4 {
			t.Errorf("%+v: bounds are %.5f to %.5f, want %.5f to %.5f", s, low, high, wantLow, wantHigh)
		}
		if s.n > 0 && (s.excludes((low+high)/2, math.Log(100)) || !s.excludes(low-1e-3, math.Log(100)) || !s.excludes(high+1e-3, math.Log(100))) {
			t.Errorf("%+v: %.5f to %.5f are not where exclusion begins", s, low, high)
		}
	}
	f(share{}, 0, 1)
	f(share{triples: true}, -1, 1)
	f(share{n: 10000, differs: 100}, .00627, .01496)
	f(share{n: 10000, differs: 100, noise: 100, triples: true}, -.00559, .00559)
}

// TestCoverage looks at each of many runs all the time. Each bound of 5 % may
// exclude the truth in 5 % of the runs; a Wilson interval did in 55 %.
func TestCoverage(t *testing.T) {
	const runs, n = 300, 3000
	f := func(triples bool, differs, noise float64) {
		t.Helper()
		rng := rand.New(rand.NewPCG(14, 1))
		tooHigh, tooLow := 0, 0
		for range runs {
			s := share{triples: triples}
			for s.n < n {
				s.n++
				if x := rng.Float64(); x < differs {
					s.differs++
				} else if x < differs+noise {
					s.noise++
				}
				if int(s.n)%20 == 0 && s.excludes(differs-noise, math.Log(20)) {
					if s.excess() > differs-noise {
						tooHigh++
					} else {
						tooLow++
					}
					break
				}
			}
		}
		t.Logf("share %v, noise %v: of %d runs %d had a lower bound above the truth, %d an upper one below it", differs, noise, runs, tooHigh, tooLow)
		if max(tooHigh, tooLow) > runs/20 {
			t.Errorf("share %v, noise %v: a bound excluded the truth in more than 5 %% of the runs", differs, noise)
		}
	}
	f(false, .01, 0)
	f(false, .5, 0)
	f(true, .02, .02)
	f(true, .03, .01)
	f(true, .005, 0)
}

func BenchmarkExcludes(b *testing.B) {
	s := share{1e5, 2200, 2000, true}
	b.ReportAllocs()
	for b.Loop() {
		s.excludes(.001, 9)
	}
}
