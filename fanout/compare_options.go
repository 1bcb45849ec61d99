package fanout

import (
	"fmt"
	"reflect"
	"time"

	"github.com/mirrorgate/mirrorgate/fanout/compare"
	"github.com/mirrorgate/mirrorgate/fanout/compare/example"
	"github.com/mirrorgate/mirrorgate/fanout/compare/route"
)

// Compare says how the responses of targets are compared with each other, see
// TargetConfig.Against. The zero value keeps no bodies and explains nothing;
// DefaultCompare has the values that the options have by default. All of it follows
// a reload, and whatever changes begins the counts anew.
type Compare struct {
	Ignore     []string      // what does not count: header:NAME, json:PATH, path:PREFIX
	Routes     []string      // routes that are named, like "GET /api/shops/*/orders"
	Body       int64         // bytes of a response's body that are kept; larger ones are compared by hash and length
	CPU        float64       // share of one core that explaining differences may take: 0.1 is 10 %
	NoExamples bool          // keep no differing pairs to be looked at
	Mask       []string      // names of secrets, besides those that are known, see package example
	Unmask     []string      // names that are none
	Warmup     time.Duration // how long latency does not count after the start, a tuning or a reload
}

// DefaultCompare returns the defaults.
func DefaultCompare() Compare {
	return Compare{Body: 256 << 10, CPU: .1, Warmup: 30 * time.Second}
}

// maxCompareBody bounds Compare.Body: a body that is kept is held for as long as
// the other target takes.
const maxCompareBody = compare.MaxDecoded

func (c *Compare) validate() error {
	switch {
	case c.Body < 0 || c.Body > maxCompareBody:
		return fmt.Errorf("--compare-body is %d, should be from 0 to %d bytes, like 256KiB", c.Body, int64(maxCompareBody))
	case !(c.CPU >= 0):
		return fmt.Errorf("--compare-cpu is %v, should be a share of one core like 10%%", c.CPU)
	case c.Warmup < 0 || c.Warmup > maxTime:
		return fmt.Errorf("--warmup is %v, should be from 0 to a day (24h)", c.Warmup)
	}
	if _, err := compare.ParseIgnore(c.Ignore); err != nil {
		return err
	}
	if _, err := c.namer(); err != nil {
		return err
	}
	_, err := example.NewMask([32]byte{}, c.Mask, c.Unmask)
	return err
}

func (c *Compare) namer() (n route.Namer, err error) {
	for _, text := range c.Routes {
		p, err := route.ParsePattern(text)
		if err != nil {
			return n, err
		}
		n.Patterns = append(n.Patterns, p)
	}
	return n, nil
}

// compareRules are what Compare says, ready for use.
type compareRules struct {
	from     Compare
	ignore   *compare.Ignore
	namer    route.Namer
	mask     *example.Mask
	budget   *compare.Budget
	body     int64             // bytes of a body that are kept
	comparer *compare.Comparer // of the goroutine of comparing alone
}

// follow makes the rules of Compare, unless they are in force. f.mu is held.
func (f *Fanout) follow(c *Compare) {
	if f.rules != nil && reflect.DeepEqual(f.rules.from, *c) {
		return
	}
	must := func(err error) {
		if err != nil {
			panic("BUG: " + err.Error()) // it was validated
		}
	}
	r := &compareRules{from: *c, body: c.Body, budget: compare.NewBudget(c.CPU, time.Duration(f.now()))}
	var err error
	r.ignore, err = compare.ParseIgnore(c.Ignore)
	must(err)
	r.namer, err = c.namer()
	must(err)
	r.mask, err = example.NewMask(f.maskKey, c.Mask, c.Unmask)
	must(err)
	r.comparer = compare.NewComparer(r.ignore)
	f.rules = r
}
