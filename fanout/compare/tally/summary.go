package tally

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mirrorgate/mirrorgate/fanout/compare/route"
)

// Unpaired counts requests that one side did not get to the end of.
type Unpaired struct {
	Side   Side   `json:"side"`
	Reason string `json:"reason"`
	Count  int64  `json:"count"`
}

// Summary is what a Tally has counted, or several have.
type Summary struct {
	Target  string `json:"target"`
	Against string `json:"against"`
	Noise   string `json:"noise"`
	Hosts   int    `json:"hosts"`
	// Since is when it was begun to count, at the first of several hosts, and Seconds
	// how long that is. The caller of Tally.Summary sets both, and Unpaired.
	Since    time.Time  `json:"since"`
	Seconds  float64    `json:"seconds"`
	Unpaired []Unpaired `json:"unpaired"` // by side and reason
	// Routes are sorted by name. Those of too few pairs are among them until Settle:
	// several hosts may have enough together.
	Routes []*Route `json:"routes"`
}

// Summary returns a copy of what was counted.
func (t *Tally) Summary() *Summary {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := &Summary{
		Target: t.options.Target, Against: t.options.Against, Noise: t.options.Noise,
		Hosts: 1, Unpaired: []Unpaired{}, Routes: []*Route{},
	}
	for _, r := range t.routes {
		s.Routes = append(s.Routes, r.clone())
	}
	if t.other.Results.Pairs() > 0 {
		s.Routes = append(s.Routes, t.other.clone())
	}
	s.sort()
	return s
}

func (s *Summary) sort() {
	slices.SortFunc(s.Unpaired, func(a, b Unpaired) int {
		return cmp.Or(strings.Compare(string(a.Side), string(b.Side)), strings.Compare(a.Reason, b.Reason))
	})
	slices.SortFunc(s.Routes, func(a, b *Route) int { return strings.Compare(a.Name, b.Name) })
}

// Merge adds what was counted at another host.
func (s *Summary) Merge(o *Summary) error {
	if s.Target != o.Target || s.Against != o.Against || s.Noise != o.Noise {
		return fmt.Errorf("cannot add up %s against %s (noise %q) and %s against %s (noise %q): the hosts are configured differently",
			s.Target, s.Against, s.Noise, o.Target, o.Against, o.Noise)
	}
	s.Hosts += o.Hosts
	s.Seconds = max(s.Seconds, o.Seconds)
	if o.Since.Before(s.Since) {
		s.Since = o.Since
	}
	for _, u := range o.Unpaired {
		i := slices.IndexFunc(s.Unpaired, func(v Unpaired) bool { return v.Side == u.Side && v.Reason == u.Reason })
		if i < 0 {
			s.Unpaired = append(s.Unpaired, u)
		} else {
			s.Unpaired[i].Count += u.Count
		}
	}
	for _, r := range o.Routes {
		s.mergeRoute(r)
	}
	s.sort()
	return nil
}

func (s *Summary) mergeRoute(r *Route) {
	for _, own := range s.Routes {
		if own.Name == r.Name {
			own.merge(r)
			slices.SortFunc(own.Fields, byName)
			return
		}
	}
	s.Routes = append(s.Routes, r.clone())
}

// Settle makes other of the routes that have too few pairs.
func (s *Summary) Settle() {
	all := s.Routes
	s.Routes = []*Route{}
	for _, r := range all {
		if r.Name != route.Other && r.Results.Pairs() < minPairs {
			r.Name = route.Other
		}
		s.mergeRoute(r)
	}
	s.sort()
}

// Whole returns what was counted of all routes together, without their fields.
func (s *Summary) Whole() *Route {
	whole := &Route{}
	for _, r := range s.Routes {
		without := *r
		without.Fields = nil
		whole.merge(&without)
	}
	return whole
}

// UnpairedPairs are the requests of which the target or the reference is missing.
func (s *Summary) UnpairedPairs() (n int64) {
	for _, u := range s.Unpaired {
		if u.Side != NoiseSide {
			n += u.Count
		}
	}
	return n
}

// UnmarshalJSON reads a Summary that another host sent.
func (s *Summary) UnmarshalJSON(b []byte) error {
	type plain Summary
	if err := json.Unmarshal(b, (*plain)(s)); err != nil {
		return fmt.Errorf("cannot read summary: %w", err)
	}
	if slices.Contains(s.Routes, nil) {
		return errors.New("cannot read summary: a route is null")
	}
	return nil
}
