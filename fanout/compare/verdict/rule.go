package verdict

import (
	"fmt"
	"strconv"
	"strings"
)

// Rule is what a verdict is asked for.
type Rule struct {
	// Tolerance is the excess that does not matter, a share of the pairs.
	Tolerance float64
	Latency   *LatencyRule // nil if latency does not count
}

// ParseRule reads both parts of a rule; what is empty has its default.
func ParseRule(tolerance, latency string) (rule Rule, err error) {
	if rule.Tolerance, err = ParseTolerance(tolerance); err != nil {
		return Rule{}, err
	}
	rule.Latency, err = ParseLatency(latency)
	return rule, err
}

// DefaultTolerance is that of a Rule that names none.
const DefaultTolerance = 0.001

// LatencyRule says how much slower a quantile may be.
type LatencyRule struct {
	Quantile float64 // 0.99
	Slower   float64 // 0.1 is 10 % slower
}

// String is the rule as it is written: p99+10%.
func (r LatencyRule) String() string {
	return r.name() + "+" + strings.ReplaceAll(percent(r.Slower), " ", "")
}

func (r LatencyRule) name() string { return "p" + strconv.FormatFloat(r.Quantile*100, 'f', -1, 64) }

// ParseTolerance reads a share, 0.1% or 0.001. An empty text is DefaultTolerance.
func ParseTolerance(s string) (float64, error) {
	if s == "" {
		return DefaultTolerance, nil
	}
	share, err := parseShare(s)
	if err != nil || !(share > 0 && share < 1) {
		return 0, fmt.Errorf("tolerance %q: want a share above 0, as 0.1%% or 0.001", s)
	}
	return share, nil
}

// ParseLatency reads a rule, p99+10%. An empty text is none.
func ParseLatency(s string) (*LatencyRule, error) {
	if s == "" {
		return nil, nil
	}
	name, slower, ok := strings.Cut(s, "+")
	digits, isQuantile := strings.CutPrefix(name, "p")
	quantile, err := strconv.ParseFloat(digits, 64)
	share, errShare := parseShare(slower)
	if !ok || !isQuantile || err != nil || errShare != nil || !(quantile >= 1 && quantile <= 99.9) || !(share >= 0 && share <= 100) {
		return nil, fmt.Errorf("latency %q: want a quantile from p1 to p99.9 and how much slower it may be, as p99+10%%", s)
	}
	return &LatencyRule{Quantile: quantile / 100, Slower: share}, nil
}

func parseShare(s string) (float64, error) {
	digits, isPercent := strings.CutSuffix(s, "%")
	x, err := strconv.ParseFloat(digits, 64)
	if isPercent {
		x /= 100
	}
	return x, err
}
