package verdict

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/mirrorgate/mirrorgate/fanout/compare"
	"github.com/mirrorgate/mirrorgate/fanout/compare/tally"
)

// simulation is a route whose responses have 44 fields. Ids and times, three of
// them, always differ; in the others but the last a value is odd in 2 % of the
// responses of each side, in the last one rarely. Each word stands for 64 triples.
type simulation struct {
	rng   *rand.Rand
	route tally.Route
	fault share16 // how often the target is wrong in the last field
}

// share16 is a probability in units of 1/65536.
type share16 uint16

const (
	simulatedFields = 44
	changing        = 3
	oddValues       = share16(0x0500) // 1.95 %
	rareValues      = share16(0x0010) // 0.024 %, so that 0.05 % of the pairs differ in the field that is broken
	broken          = share16(0x028f) // 1 %
)

func newSimulation(seed uint64, fault share16) *simulation {
	s := &simulation{rng: rand.New(rand.NewPCG(seed, 14)), fault: fault}
	s.route.Name = "GET /api/price"
	for i := range simulatedFields {
		f := compare.Field{Layer: compare.Body, Path: string([]byte{'f', byte('a' + i/20), byte('a' + i%20)})}
		s.route.Fields = append(s.route.Fields, tally.Field{Field: f})
	}
	return s
}

// which returns a word each of whose bits is set with the probability p: from its
// last digit to its first, a random word is joined for a 1 and met for a 0.
func (s *simulation) which(p share16) (word uint64) {
	if p == 0 {
		return 0
	}
	for i := bits.TrailingZeros16(uint16(p)); i < 16; i++ {
		if p>>i&1 != 0 {
			word |= s.rng.Uint64()
		} else {
			word &= s.rng.Uint64()
		}
	}
	return word
}

// step counts the next 64 triples.
func (s *simulation) step() {
	var only, noisy uint64
	for i := range s.route.Fields {
		f := &s.route.Fields[i]
		differs, noise := ^uint64(0), ^uint64(0)
		if i >= changing {
			p, fault := oddValues, share16(0)
			if i == simulatedFields-1 {
				p, fault = rareValues, s.fault
			}
			// An odd value is one that no other response has.
			reference := s.which(p)
			differs, noise = reference|s.which(p)|s.which(fault), reference|s.which(p)
		}
		countBits(&f.Counts, differs, noise)
		only |= differs &^ noise
		noisy |= noise &^ differs
	}
	countBits(&s.route.Excess, only, noisy)
	s.route.Explained += 64
	s.route.Results[compare.Body] += 64
}

func countBits(c *tally.Counts, differs, noise uint64) {
	c.Differs += int64(bits.OnesCount64(differs))
	c.Noise += int64(bits.OnesCount64(noise))
	c.Both += int64(bits.OnesCount64(differs & noise))
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
		s := newSimulation(run, 0)
		for s.route.Explained < 50_000 {
			s.step()
			// Later looks are so often alike that every fiftieth will do.
			if (s.route.Explained <= 3200 || s.route.Explained%3200 == 0) && s.alarm() {
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
		s := newSimulation(run, broken)
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
