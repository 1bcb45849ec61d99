package verdict

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/mirrorgate/mirrorgate/fanout/compare"
	"github.com/mirrorgate/mirrorgate/fanout/compare/tally"
)

// simulation is a route whose responses have 44 fields. Ids and times, three of
// them, always differ; in the others but the last a value is odd in 2 % of the
// responses of each side, in the last one rarely.
type simulation struct {
	rng    *rand.Rand
	route  tally.Route
	stride int     // triples of a step
	fault  float64 // how often the target is wrong in the last field
	only   [2][]bool
	odd    [3][]bool // of a field: which responses of the reference, the target and the copy are
	marked [3][]int
}

const (
	simulatedFields = 44
	changing        = 3
	oddValues       = .02
	rareValues      = .0005 // in the field that is broken, so that 0.1 % of the pairs differ in it
)

func newSimulation(seed uint64, stride int, fault float64) *simulation {
	s := &simulation{rng: rand.New(rand.NewPCG(seed, 14)), stride: stride, fault: fault}
	s.route.Name = "GET /api/price"
	for i := range simulatedFields {
		f := compare.Field{Layer: compare.Body, Path: string([]byte{'f', byte('a' + i/20), byte('a' + i%20)})}
		s.route.Fields = append(s.route.Fields, tally.Field{Field: f})
	}
	for i := range s.odd {
		s.odd[i] = make([]bool, stride)
	}
	for i := range s.only {
		s.only[i] = make([]bool, stride)
	}
	return s
}

// mark makes some responses odd, each with the same probability.
func (s *simulation) mark(side int, p float64) {
	if p == 0 {
		return
	}
	distance := -1 / math.Log1p(-p)
	for i := 0; ; i++ {
		i += int(s.rng.ExpFloat64() * distance)
		if i >= s.stride {
			return
		}
		s.odd[side][i] = true
		s.marked[side] = append(s.marked[side], i)
	}
}

// step counts the next triples.
func (s *simulation) step() {
	clear(s.only[0])
	clear(s.only[1])
	for i := range s.route.Fields {
		f := &s.route.Fields[i]
		if i < changing {
			n := int64(s.stride)
			f.Differs, f.Noise, f.Both = f.Differs+n, f.Noise+n, f.Both+n
			continue
		}
		p := oddValues
		if i == simulatedFields-1 {
			p = rareValues
			s.mark(1, s.fault)
		}
		for side := range s.odd {
			s.mark(side, p)
		}
		s.count(f)
	}
	s.route.Explained += int64(s.stride)
	s.route.Results[compare.Body] += int64(s.stride)
	for i := range s.stride {
		s.route.Excess.Differs += int64(b2i(s.only[0][i]))
		s.route.Excess.Noise += int64(b2i(s.only[1][i]))
		s.route.Excess.Both += int64(b2i(s.only[0][i] && s.only[1][i]))
	}
}

// count takes an odd value for one that no other response has.
func (s *simulation) count(f *tally.Field) {
	for side := range s.marked {
		for _, i := range s.marked[side] {
			reference, target, copied := s.odd[0][i], s.odd[1][i], s.odd[2][i]
			differs, noise := reference || target, reference || copied
			f.Differs += int64(b2i(differs))
			f.Noise += int64(b2i(noise))
			f.Both += int64(b2i(differs && noise))
			s.only[0][i] = s.only[0][i] || differs && !noise
			s.only[1][i] = s.only[1][i] || noise && !differs
			s.odd[0][i], s.odd[1][i], s.odd[2][i] = false, false, false // counted
		}
		s.marked[side] = s.marked[side][:0]
	}
}

// alarm reports whether a hypothesis is said to differ, as Judge does.
func (s *simulation) alarm() bool {
	j := &judge{rule: Rule{Tolerance: DefaultTolerance}, triples: true, v: &Verdict{}}
	j.level = math.Log(max(2+simulatedFields, minHypotheses) / alpha)
	if j.decide(share{float64(s.route.Explained), float64(s.route.Excess.Differs), float64(s.route.Excess.Noise), true}) == Differs {
		return true
	}
	for i := range s.route.Fields {
		if j.field(&s.route, &s.route.Fields[i]).Sure {
			return true
		}
	}
	return false
}

func TestNoFalseAlarm(t *testing.T) {
	for run := range uint64(200) {
		s := newSimulation(run, 250, 0)
		for s.route.Explained < 50_000 {
			s.step()
			// Early looks are the dangerous ones; later ones are so often alike that every
			// tenth will do.
			if (s.route.Explained <= 5000 || s.route.Explained%2500 == 0) && s.alarm() {
				t.Errorf("run %d: a fault was seen after %d triples, and there is none", run, s.route.Explained)
				break
			}
		}
	}
}

func TestFaultIsFound(t *testing.T) {
	const runs, within = 200, 3000
	var found []int64
	for run := range uint64(runs) {
		s := newSimulation(run, 100, .01)
		for !s.alarm() && s.route.Explained < 20_000 {
			s.step()
		}
		found = append(found, s.route.Explained)
	}
	slices.Sort(found)
	t.Logf("found after %d triples (median), %d (90 %%)", found[runs/2], found[runs*9/10-1])
	if found[runs*9/10-1] > within {
		t.Errorf("90 %% were found after %d triples, want %d", found[runs*9/10-1], within)
	}
}
