package fanout

import (
	"fmt"
	"slices"
)

// links.go says which targets are compared with which: a link is a target, its
// reference and, if there is one, the reference's second copy.

// linked reports whether the target is compared with another target.
func (t *TargetConfig) linked() bool { return t.Against != "" && t.Against != AgainstProduction }

// validateLinks finds targets that cannot be compared. All targets are valid by
// themselves.
func (c *Config) validateLinks() error {
	for i := range c.Targets {
		t := &c.Targets[i]
		if err := c.validateLink(t); err != nil {
			return fmt.Errorf("--target %s: %w", t.Name, err)
		}
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
		if !methodsMeet(t.Methods, side.Methods) {
			return fmt.Errorf("against=%s cannot be: %s gets %s and %s gets %s, so no request goes to both",
				t.Against, t.Name, formatMethods(t.Methods), side.Name, formatMethods(side.Methods))
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

// methodsMeet reports whether a request can be in both; empty means all.
func methodsMeet(a, b []string) bool {
	return len(a) == 0 || len(b) == 0 || slices.ContainsFunc(a, func(m string) bool { return slices.Contains(b, m) })
}
