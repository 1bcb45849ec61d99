package fanout

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/mirrorgate/mirrorgate/fanout/compare/tally"
)

// links says which targets are compared with which, in one plan. It never changes.
type links struct {
	*comparing
	rules       *compareRules
	sides       []*target // that are compared with others, or others with them
	authorities [][]byte  // host:port of each
	all         []link
	warmUntil   int64 // see common.now: latencies of earlier requests do not count
}

// link is one target and what it is compared with: places in links.sides.
type link struct {
	counts          *comparison
	target, against uint8
	noise           int // the second copy of the reference; -1: there is none
}

// maxSides is how many targets can be compared with each other.
const maxSides = 255

// maxSkew is how far apart in time, in nanoseconds, the requests of a pair may be
// sent: what a response says may have changed by then.
const maxSkew = int64(time.Second)

// newLinks returns the links of a plan whose targets are made, nil if there are
// none. f.mu is held.
func (f *Fanout) newLinks(cfg *Config) *links {
	maps.DeleteFunc(f.compared, func(name string, n *comparison) bool {
		gone := !slices.ContainsFunc(cfg.Targets, func(t TargetConfig) bool { return t.Name == name && t.linked() })
		if gone {
			n.end()
		}
		return gone
	})
	if !slices.ContainsFunc(cfg.Targets, func(t TargetConfig) bool { return t.linked() }) {
		return nil
	}
	f.comparing.begin()
	f.follow(&cfg.Compare)
	l := &links{comparing: f.comparing, rules: f.rules, warmUntil: f.now() + int64(cfg.Compare.Warmup)}
	for i := range cfg.Targets {
		t := &cfg.Targets[i]
		if !t.linked() {
			continue
		}
		k := link{
			counts: f.comparisonOf(cfg, t),
			target: l.place(f.targets[i]), against: l.place(f.targetNamed(t.Against)), noise: -1,
		}
		if t.Noise != "" {
			k.noise = int(l.place(f.targetNamed(t.Noise)))
		}
		l.all = append(l.all, k)
	}
	return l
}

func (f *Fanout) targetNamed(name string) *target {
	return f.targets[slices.IndexFunc(f.targets, func(t *target) bool { return t.cfg.Name == name })]
}

// place returns the side that a target is, which gets one if it has none.
func (l *links) place(t *target) uint8 {
	if i := slices.Index(l.sides, t); i >= 0 {
		return uint8(i)
	}
	l.sides = append(l.sides, t)
	l.authorities = append(l.authorities, []byte(t.cfg.URL.Host))
	return uint8(len(l.sides) - 1)
}

// sideOf is the side that a target is, -1 if it is none.
func (l *links) sideOf(t *target) int {
	if l == nil {
		return -1
	}
	return slices.Index(l.sides, t)
}

// selected reports whether a request was selected for both of the link.
func (k *link) selected(sides []side) bool {
	return sides[k.target].fate != absent && sides[k.against].fate != absent
}

// open reports whether the link can still come to something that is not known yet.
func (k *link) open(sides []side) bool {
	t, a := sides[k.target].fate, sides[k.against].fate
	if t == absent || a == absent || t == dropped || a == dropped {
		return false
	}
	return t == waiting || a == waiting || k.noise >= 0 && sides[k.noise].fate == waiting
}

// anyOpen reports whether one of the links is open.
func (l *links) anyOpen(sides []side) bool {
	return slices.ContainsFunc(l.all, func(k link) bool { return k.open(sides) })
}

// missing returns whose failure leaves the request without its pair, and why.
func (k *link) missing(sides []side) (tally.Side, unpairedReason) {
	a, t := &sides[k.against], &sides[k.target]
	switch {
	case a.fate == dropped:
		return tally.ReferenceSide, a.reason
	case t.fate == dropped:
		return tally.TargetSide, t.reason
	case a.sent-t.sent > maxSkew:
		return tally.ReferenceSide, unpairedSkew
	case t.sent-a.sent > maxSkew:
		return tally.TargetSide, unpairedSkew
	}
	return "", 0
}

// noNoise returns why the second copy has no part in a pair; 0 if it has.
func (k *link) noNoise(sides []side) unpairedReason {
	a, n := &sides[k.against], &sides[k.noise]
	switch {
	case n.fate == dropped:
		return n.reason
	case max(a.sent-n.sent, n.sent-a.sent) > maxSkew:
		return unpairedSkew
	}
	return 0
}

// linked reports whether the target is compared with another target.
func (t *TargetConfig) linked() bool { return t.Against != "" && t.Against != AgainstProduction }

// validateLinks finds targets that cannot be compared. All targets are valid by
// themselves.
func (c *Config) validateLinks() error {
	n := 0
	for i := range c.Targets {
		t := &c.Targets[i]
		if err := c.validateLink(t); err != nil {
			return fmt.Errorf("--target %s: %w", t.Name, err)
		}
		if t.linked() {
			n++
		}
	}
	if n > 0 && len(c.Targets) > maxSides {
		return fmt.Errorf("--target: there are %d, but with against there can be %d at the most", len(c.Targets), maxSides)
	}
	return nil
}

func (c *Config) validateLink(t *TargetConfig) error {
	if !t.linked() {
		if t.Noise != "" {
			return fmt.Errorf("noise is %s, a second copy of the target that against names, but against is %s", t.Noise, AgainstProduction)
		}
		return nil
	}
	if t.Records() {
		return fmt.Errorf("against=%s cannot be: a recording has no responses", t.Against)
	}
	sides := []*TargetConfig{t}
	for _, end := range []struct{ key, name string }{{"against", t.Against}, {"noise", t.Noise}} {
		if end.name == "" {
			continue
		}
		i := slices.IndexFunc(c.Targets, func(u TargetConfig) bool { return u.Name == end.name })
		switch {
		case end.name == t.Name:
			return fmt.Errorf("%s is the target itself; it should be the name of another one", end.key)
		case i < 0:
			return fmt.Errorf("%s is %q, which is no target", end.key, end.name)
		case c.Targets[i].Records():
			return fmt.Errorf("%s is %s, a recording, which has no responses", end.key, end.name)
		case end.key == "noise" && end.name == t.Against:
			return fmt.Errorf("noise is %s, and so is against; it should be a second copy of it, with a name of its own", t.Noise)
		}
		sides = append(sides, &c.Targets[i])
	}
	for _, side := range sides {
		if c.members(side) > 1 {
			return fmt.Errorf("against=%s cannot be: %s shares group %s by weight with other targets, so it gets only some of the requests", t.Against, side.Name, side.groupName())
		}
		if side.Sample == 0 {
			return fmt.Errorf("against=%s cannot be: the sample of %s is 0%%, so no request goes to both", t.Against, side.Name)
		}
		for _, key := range []string{"methods", "path", "hosts"} {
			if a, b := t.Text(key), side.Text(key); !listsMeet(a, b) {
				return fmt.Errorf("against=%s cannot be: %s has %s=%s and %s has %s=%s, so no request goes to both", t.Against, t.Name, key, a, side.Name, key, b)
			}
		}
	}
	return nil
}

// members is how many targets are in the group of t.
func (c *Config) members(t *TargetConfig) (n int) {
	for i := range c.Targets {
		if c.Targets[i].groupName() == t.groupName() {
			n++
		}
	}
	return n
}

// listsMeet reports whether a request can be in both lists of patterns, as Text has
// them; those without a value and "all" have every request.
func listsMeet(a, b string) bool {
	if a == "" || b == "" || a == "all" || b == "all" {
		return true
	}
	for _, x := range strings.Split(strings.ToLower(a), listSeparator) {
		if slices.ContainsFunc(strings.Split(strings.ToLower(b), listSeparator), func(y string) bool { return patternsMeet(x, y) }) {
			return true
		}
	}
	return false
}

// patternsMeet reports whether two patterns can match the same text. Of two with a *
// only what stands in front of that is looked at.
func patternsMeet(a, b string) bool {
	headA, _, starA := strings.Cut(a, "*")
	headB, _, starB := strings.Cut(b, "*")
	switch {
	case !starA:
		return matches(b, []byte(a), false)
	case !starB:
		return matches(a, []byte(b), false)
	}
	return strings.HasPrefix(headA, headB) || strings.HasPrefix(headB, headA)
}
