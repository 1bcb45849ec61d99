package fanout

import (
	"sync"
	"time"

	"github.com/mirrorgate/mirrorgate/fanout/compare"
	"github.com/mirrorgate/mirrorgate/fanout/compare/tally"
)

// compareEvery is how long pairs gather before they are compared: to be woken costs
// more than to compare one.
const compareEvery = 20 * time.Millisecond

// comparing compares the pairs that have ended, on a goroutine of its own, so that
// no worker waits for that. It runs from the first plan with links on.
type comparing struct {
	*common
	wake chan struct{} // sent to by whoever made asleep false
	stop chan struct{}
	runs sync.WaitGroup

	mu     sync.Mutex
	begun  bool
	asleep bool
	ended  bool // comes after all targets: what is pushed was never sent
	pairs  []*pair

	// Of the goroutine alone:
	spare                       []*pair
	diff, noise                 compare.Diff
	reference, response, second compare.Response
	counted                     tally.Pair
}

func newComparing(shared *common) *comparing {
	return &comparing{common: shared, wake: make(chan struct{}, 1), stop: make(chan struct{})}
}

// begin starts the goroutine, unless it runs.
func (c *comparing) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.begun {
		c.begun = true
		c.runs.Go(c.run)
	}
}

// finish compares what has ended and returns. All targets have ended before.
func (c *comparing) finish() {
	close(c.stop)
	c.runs.Wait()
	c.mu.Lock()
	c.ended = true
	rest := c.pairs
	c.pairs = nil
	c.mu.Unlock()
	for _, p := range rest {
		c.conclude(p)
	}
}

// push takes a pair that is over. It never waits for a comparison.
func (c *comparing) push(p *pair) {
	c.mu.Lock()
	if c.ended {
		defer c.mu.Unlock()
		c.conclude(p)
		return
	}
	c.pairs = append(c.pairs, p)
	wake := c.asleep
	c.asleep = false
	c.mu.Unlock()
	if wake {
		c.wake <- struct{}{}
	}
}

func (c *comparing) run() {
	gather := time.NewTimer(compareEvery)
	defer gather.Stop()
	for {
		c.mu.Lock()
		pairs := c.pairs
		c.pairs, c.spare = c.spare[:0], nil
		c.asleep = len(pairs) == 0
		c.mu.Unlock()
		for i, p := range pairs {
			c.conclude(p)
			pairs[i] = nil
		}
		c.spare = pairs
		if len(pairs) == 0 {
			select {
			case <-c.wake:
			case <-c.stop:
				return
			}
		}
		gather.Reset(compareEvery)
		select {
		case <-gather.C:
		case <-c.stop:
			return
		}
	}
}

// conclude counts a pair that is over, and gives back what it holds.
func (c *comparing) conclude(p *pair) {
	for i := range p.all {
		if k := &p.all[i]; k.selected(p.sides) {
			c.compare(p, k)
		}
	}
	p.release()
}

// compare compares one link of a pair.
func (c *comparing) compare(p *pair, k *link) {
	if whose, reason := k.missing(p.sides); reason != 0 {
		k.counts.unpaired(whose, reason, p.at)
		return
	}
	rules := p.rules
	begun := c.now()
	explain := rules.budget.Admit(time.Duration(begun))
	p.read(&c.reference, k.against)
	p.read(&c.response, k.target)
	tp := &c.counted
	*tp = tally.Pair{Reference: &c.reference, Response: &c.response, Diff: &c.diff, Warming: p.at < p.warmUntil}
	tp.Method, tp.Target = p.payload.requestLine()
	if c.readSecond(p, k) {
		hashBodies(&c.reference, &c.response, &c.second)
		rules.comparer.Pair(&c.noise, &c.reference, &c.second, explain)
		tp.Copy, tp.Noise = &c.second, &c.noise
	} else {
		hashBodies(&c.reference, &c.response)
	}
	rules.comparer.Pair(&c.diff, &c.reference, &c.response, explain)
	k.counts.add(tp, p)
	if explain {
		rules.budget.Spend(time.Duration(c.now() - begun))
	}
}

// readSecond reads the response of the second copy, if it has a part in the pair.
func (c *comparing) readSecond(p *pair, k *link) bool {
	if k.noise < 0 || p.sides[k.noise].fate == absent {
		return false
	}
	if reason := k.noNoise(p.sides); reason != 0 {
		k.counts.unpaired(tally.NoiseSide, reason, p.at)
		return false
	}
	p.read(&c.second, uint8(k.noise))
	return true
}
