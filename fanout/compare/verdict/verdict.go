package verdict

import "github.com/mirrorgate/mirrorgate/fanout/compare"

// The verdicts.
const (
	Alike   = "alike"
	Differs = "differs"
	NotYet  = "not_yet"
)

// Verdict is the answer of GET /api/verdict. Shares are of explained pairs, or
// triples where there is noise.
type Verdict struct {
	Target     string   `json:"target"`
	Against    string   `json:"against"`
	Noise      string   `json:"noise"` // empty if there is no second copy
	Verdict    string   `json:"verdict"`
	Sentence   string   `json:"sentence"`
	Pairs      int64    `json:"pairs"`
	Explained  int64    `json:"explained"` // of Pairs
	Unpaired   int64    `json:"unpaired"`
	Uncompared int64    `json:"uncompared"` // of Pairs
	Hosts      int      `json:"hosts"`
	Excess     Share    `json:"excess"` // of all routes
	Routes     []Route  `json:"routes"` // the worst first
	Latency    *Latency `json:"latency"`
	// MorePairs is how many more pairs it takes at what was seen so far, and
	// MoreSeconds how long that is at this rate; null if it is known, or if nobody can
	// say.
	MorePairs   *int64   `json:"more_pairs"`
	MoreSeconds *float64 `json:"more_seconds"`
	// Why says what keeps the verdict from being known, other than too few pairs.
	Why []string `json:"why"`
	// Ignore are the rules for fields that differ always, to be copied.
	Ignore []string `json:"ignore"`
}

// Share is an excess and its bounds.
type Share struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// Route is what is known of one route.
type Route struct {
	Route     string  `json:"route"`
	Verdict   string  `json:"verdict"`
	Pairs     int64   `json:"pairs"`
	Explained int64   `json:"explained"`
	Differs   int64   `json:"differs"` // explained pairs or triples that differ otherwise than noise does
	Noise     int64   `json:"noise"`   // triples whose second copy does
	Excess    Share   `json:"excess"`
	Fields    []Field `json:"fields"` // the worst first
	// Reference and Response are the latencies of both sides.
	Reference Quantiles `json:"reference_seconds"`
	Response  Quantiles `json:"target_seconds"`
	// TooFew is whether the route has so few of the pairs that it does not hold up the
	// verdict.
	TooFew bool `json:"too_few"`
}

// Field is what is known of one field.
type Field struct {
	Field string       `json:"field"` // as "body: items[].price"
	Kind  compare.Kind `json:"kind"`
	// Differs counts explained pairs, or triples whose second copy does not differ in
	// the field; Noise those in which only the second copy does.
	Differs int64   `json:"differs"`
	Noise   int64   `json:"noise"`
	Both    int64   `json:"both"` // triples in which both do, in neither of the former
	Excess  float64 `json:"excess"`
	Sure    bool    `json:"sure"`   // the excess is above the tolerance
	Always  bool    `json:"always"` // a value that differs always, and may mean nothing
}

// Quantiles are in seconds.
type Quantiles struct {
	P50 float64 `json:"p50"`
	P90 float64 `json:"p90"`
	P99 float64 `json:"p99"`
}

// Latency is the judgement of the rule for latency.
type Latency struct {
	Rule    string   `json:"rule"` // p99+10%
	Verdict string   `json:"verdict"`
	Change  float64  `json:"change"` // 0.04 is 4 % slower
	Low     float64  `json:"low"`
	High    *float64 `json:"high"` // null if there is no bound yet
}
