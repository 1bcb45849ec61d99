package tally

import (
	"encoding/json"
	"slices"

	"github.com/mirrorgate/mirrorgate/fanout/compare"
)

// maxFields is how many fields of a route are told apart.
const maxFields = 100

// Results counts pairs by their result.
type Results [compare.Results]int64

// Pairs is the number of all.
func (r *Results) Pairs() (n int64) {
	for _, c := range r {
		n += c
	}
	return n
}

func (r *Results) merge(o *Results) {
	for i, n := range o {
		r[i] += n
	}
}

// MarshalJSON writes an object with the names of the results.
func (r Results) MarshalJSON() ([]byte, error) {
	m := make(map[compare.Result]int64, len(r))
	for i, n := range r {
		m[compare.Result(i)] = n
	}
	return json.Marshal(m)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (r *Results) UnmarshalJSON(b []byte) error {
	var m map[compare.Result]int64
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	*r = Results{}
	for i, n := range m {
		r[i] = n
	}
	return nil
}

// Route is what was counted of one route.
type Route struct {
	Name    string  `json:"route"`
	Results Results `json:"results"` // of all pairs
	Noise   Results `json:"noise"`   // of all pairs of the reference and its second copy
	// ByHash of the bodies that differ nobody looked into: their bytes differ.
	ByHash int64 `json:"by_hash"`
	// Explained is how many pairs, or triples where there is a second copy, were
	// looked at whole. It is the denominator of what follows.
	Explained int64 `json:"explained"`
	// Excess counts triples in which the target differs in a field in which the second
	// copy does not, and the other way round.
	Excess Counts `json:"excess"`
	// Hard counts explained pairs that differ in more than values of equal type.
	Hard   int64   `json:"hard"`
	Fields []Field `json:"fields"`
	// Reference and Target are the latencies of both sides, of the same pairs.
	Reference Histogram `json:"reference_latency"`
	Target    Histogram `json:"target_latency"`
}

// explain counts the fields of an explained pair or, if noise is not nil, triple.
func (r *Route) explain(diff, noise *compare.Diff) {
	r.Explained++
	var excess, other [2]bool
	hard := false
	for _, f := range diff.Fields {
		both := noise != nil && noise.Differs(f)
		excess[0] = excess[0] || !both
		hard = hard || f.Kind != compare.Value || f.Layer == compare.Status || f.Layer == compare.Error
		if counts := r.field(f); counts != nil {
			counts.count(true, both)
		} else {
			other[0] = true
			other[1] = other[1] || both
		}
	}
	if noise != nil {
		for _, f := range noise.Fields {
			if diff.Differs(f) {
				continue
			}
			excess[1] = true
			if counts := r.field(f); counts != nil {
				counts.count(false, true)
			} else {
				other[1] = true
			}
		}
	}
	r.Excess.count(excess[0], excess[1])
	if hard {
		r.Hard++
	}
	if other[0] || other[1] {
		r.slot(compare.OtherField).count(other[0], other[1])
	}
}

// field returns the counts of a field, or nil if it has no slot.
func (r *Route) field(f compare.Field) *Counts {
	if f == compare.OtherField {
		return nil
	}
	for i := range r.Fields {
		if r.Fields[i].Field == f {
			return &r.Fields[i].Counts
		}
	}
	if len(r.Fields) >= maxFields {
		return nil
	}
	return r.slot(f)
}

// slot returns the counts of a field, which gets a slot if it has none.
func (r *Route) slot(f compare.Field) *Counts {
	for i := range r.Fields {
		if r.Fields[i].Field == f {
			return &r.Fields[i].Counts
		}
	}
	r.Fields = append(r.Fields, Field{Field: f})
	return &r.Fields[len(r.Fields)-1].Counts
}

// merge adds what was counted of another route, or of this one elsewhere.
func (r *Route) merge(o *Route) {
	r.Results.merge(&o.Results)
	r.Noise.merge(&o.Noise)
	r.ByHash += o.ByHash
	r.Explained += o.Explained
	r.Excess.merge(o.Excess)
	r.Hard += o.Hard
	for _, f := range o.Fields {
		r.slot(f.Field).merge(f.Counts)
	}
	r.Reference.Merge(&o.Reference)
	r.Target.Merge(&o.Target)
}

// clone copies the route, its fields sorted by name.
func (r *Route) clone() *Route {
	c := *r
	c.Fields = append([]Field{}, r.Fields...)
	slices.SortFunc(c.Fields, byName)
	c.Reference, c.Target = r.Reference.clone(), r.Target.clone()
	return &c
}
