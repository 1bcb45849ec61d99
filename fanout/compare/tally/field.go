package tally

import (
	"cmp"
	"strings"

	"github.com/mirrorgate/mirrorgate/fanout/compare"
)

// Counts says how often a thing differs between the target and the reference, and
// how often between the reference and its second copy, which is noise. Where there
// is no second copy, Noise and Both are zero.
type Counts struct {
	Differs int64 `json:"differs"`
	Noise   int64 `json:"noise"`
	Both    int64 `json:"both"` // of the same triple, counted in the former two as well
}

func (c *Counts) count(differs, noise bool) {
	if differs {
		c.Differs++
	}
	if noise {
		c.Noise++
	}
	if differs && noise {
		c.Both++
	}
}

func (c *Counts) merge(o Counts) {
	c.Differs += o.Differs
	c.Noise += o.Noise
	c.Both += o.Both
}

// Field is what was counted of one field, of explained pairs or triples.
type Field struct {
	compare.Field
	Counts
}

func byName(a, b Field) int {
	return cmp.Or(cmp.Compare(a.Layer, b.Layer), strings.Compare(a.Path, b.Path), cmp.Compare(a.Kind, b.Kind))
}
