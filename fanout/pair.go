package fanout

import (
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/mirrorgate/mirrorgate/fanout/internal/wire"
)

// pair is a request at the targets that are compared with each other, until each
// has come to its outcome or one that did not makes the rest of no use. It holds a
// reference to its payload, and the responses. Then it is handed to comparing, once.
type pair struct {
	*links
	payload *payload
	at      int64 // when the request arrived

	over atomic.Bool // it was handed to comparing: later outcomes do not count

	mu      sync.Mutex
	sides   []side  // as in links
	waiting int64   // bytes that it counts in memory.waiting
	few     [3]side // where sides are if they are no more than that
}

// side is what became of a request at one target.
type side struct {
	fate     fate
	reason   unpairedReason // of dropped
	kind     errorKind      // of failed
	response *kept          // of responded
	sent     int64          // when it was written last; of the target's worker while it waits
}

type fate uint8

const (
	absent    fate = iota // the target does not get the request
	waiting               // for the outcome
	responded             // with a response
	failed                // sent, without a response
	dropped               // never sent, or given up by us
)

// unpairedReason says why a request has no pair: a dropReason, or one of its own.
// Zero is none.
type unpairedReason uint8

const (
	unpairedSkew    = unpairedReason(dropReasons) + iota // the targets were sent it too far apart in time
	unpairedReasons                                      // how many there are
)

func (r unpairedReason) String() string {
	if r == unpairedSkew {
		return "skew"
	}
	return dropReason(r).String()
}

// pairSize is how many bytes a pair takes besides its payload and its responses.
const pairSize = int64(unsafe.Sizeof(pair{}))

// pair returns the pair that the current request becomes, nil if it is not to be
// compared: it is ignored, or at no two linked targets. Those that are already
// known to have none are counted.
func (b *batch) pair(p *wire.Prepared) *pair {
	l := b.plan.links
	if l == nil {
		return nil
	}
	defer clear(b.sides)
	if l.rules.ignore.Path(p.Path) {
		return nil
	}
	if !l.anyOpen(b.sides) {
		for i := range l.all {
			k := &l.all[i]
			if k.selected(b.sides) {
				whose, reason := k.missing(b.sides)
				k.counts.unpaired(whose, reason, b.now)
			}
		}
		return nil
	}
	pr := &pair{links: l, at: b.now}
	pr.sides = append(pr.few[:0], b.sides...)
	return pr
}

// selected notes that the request was selected for the side, and whether it was
// dropped at once.
func (s *side) selected(reason dropReason) {
	*s = side{fate: waiting}
	if reason != dropNone {
		*s = side{fate: dropped, reason: unpairedReason(reason)}
	}
}

// join makes e, the request at t, a part of the pair, if t is one of its targets.
func (p *pair) join(e *entry, t *target) {
	if p.payload == nil {
		p.payload = e.payload
		e.refs.Add(1)
	}
	if at := p.sideOf(t); at >= 0 {
		e.side = uint8(at)
		e.flags |= flagCompared
	}
}

// written notes that the target's worker writes the request now.
func (e *entry) written(now int64) { e.pair.sides[e.side].sent = now }

func (p *pair) responded(at uint8, k *kept) { p.end(at, side{fate: responded, response: k}) }

func (p *pair) failed(at uint8, kind errorKind) {
	if kind == errorAborted {
		p.dropped(at, p.links.sides[at].drainReason)
		return
	}
	p.end(at, side{fate: failed, kind: kind})
}

func (p *pair) dropped(at uint8, reason dropReason) {
	p.end(at, side{fate: dropped, reason: unpairedReason(reason)})
}

// end is the outcome of one side.
func (p *pair) end(at uint8, outcome side) {
	p.mu.Lock()
	if p.over.Load() {
		p.mu.Unlock()
		outcome.response.release(p.common)
		return
	}
	if outcome.fate != dropped && !p.mayWait() {
		outcome.response.release(p.common)
		outcome = side{fate: dropped, reason: unpairedReason(dropMemory)}
	}
	outcome.sent = p.sides[at].sent
	p.sides[at] = outcome
	over := !p.anyOpen(p.sides)
	p.over.Store(over)
	p.mu.Unlock()
	if over {
		p.push(p)
	}
}

// mayWait makes room for the payload, from the first outcome on. p.mu is held.
func (p *pair) mayWait() bool {
	if p.waiting > 0 {
		return true
	}
	n := p.payload.cost() + pairSize
	if !p.memory.fitsPair(n) {
		return false
	}
	p.waiting = n
	p.memory.waiting.Add(n)
	return true
}

// release gives back what an ended pair holds.
func (p *pair) release() {
	for i := range p.sides {
		p.sides[i].response.release(p.common)
		p.sides[i].response = nil
	}
	p.memory.waiting.Add(-p.waiting)
	cost := p.payload.cost()
	if p.payload.unref() {
		p.memory.payloads.Add(-cost)
		p.payload.next = nil
		p.payloads.put(p.payload)
	}
	p.payload = nil
}
