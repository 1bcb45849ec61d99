package fanout

import (
	"github.com/mirrorgate/mirrorgate/codec"
	"github.com/mirrorgate/mirrorgate/fanout/internal/wire"
)

// batch is the scratch of one Submit: what it decided, until it is counted and
// handed over at once.
type batch struct {
	f    *Fanout
	plan *plan // in force when the batch began
	now  int64

	prepared wire.Prepared
	varied   wire.Prepared // the same request by the rules of a variant
	free     localFree
	chosen   []*target // of the current request
	sides    []side    // likewise: what it is at those that are compared
	held     int64     // bytes of payload made by this batch

	rejected [codec.RejectAborted + 1]int
	groups   []groupBatch  // as in the plan
	targets  []targetBatch // by target.slot
}

type groupBatch struct {
	filtered   [filterReasons]int
	sampledOut int
}

type targetBatch struct {
	entries  []entry
	selected int
	held     int64
	dropped  [dropReasons]int
	beside   besideProduction
}

// Submit takes the requests of one wake-up of an event loop and hands each to
// the targets that get it. It never blocks on a target. The requests and what
// they point into stay the caller's, and are not used after Submit returns. It
// is safe for concurrent use.
func (f *Fanout) Submit(reqs []codec.Request) {
	b := f.batches.Get().(*batch)
	b.now = f.now()
	b.follow(f.enter())
	for i := range reqs {
		if reject := b.plan.variants[0].rules.Prepare(&b.prepared, &reqs[i]); reject != codec.RejectNone {
			b.rejected[reject]++
			continue
		}
		b.dispatch()
	}
	f.metrics.received.Add(len(reqs))
	b.flush(len(reqs))
	b.plan.leave()
	f.batches.Put(b)
}

// follow makes room for the groups and targets of a plan.
func (b *batch) follow(p *plan) {
	if b.plan == p {
		return
	}
	b.plan = p
	b.groups = make([]groupBatch, len(p.groups))
	b.targets = make([]targetBatch, len(p.slots))
	b.sides = nil
	if p.links != nil {
		b.sides = make([]side, len(p.links.sides))
	}
}

// dispatch selects the targets of the prepared request and, if one takes it,
// copies it once for all that have the same rules.
func (b *batch) dispatch() {
	p := &b.prepared
	cost := payloadCost(payloadBytes(p, b.plan.records))
	var luck draw
	luck.hash, luck.keyed = b.plan.cfg.SampleBy.hash(p)
	b.chosen = b.chosen[:0]
	for i, g := range b.plan.groups {
		if reason := g.filter.refuses(p); reason != filterNone {
			b.groups[i].filtered[reason]++
			continue
		}
		sample := luck.sample(g.side >= 0)
		if !g.takes(sample) {
			b.groups[i].sampledOut++
			continue
		}
		t := g.pick(&luck)
		tb := &b.targets[t.slot]
		tb.selected++
		reason := b.admit(t, cost, g, sample)
		if g.side >= 0 {
			b.sides[g.side].selected(reason)
		}
		if reason != dropNone {
			tb.dropped[reason]++
			if p.Request.Production.Status != 0 {
				tb.beside.unpaired[reason]++
			}
			continue
		}
		b.chosen = append(b.chosen, t)
	}
	pair := b.pair(p)
	if len(b.chosen) == 0 {
		return
	}
	b.copies(&luck, pair)
}

// flush counts what the batch decided and rings each target once. accepted is
// the number of requests in it, of which those are taken off that are rejected.
func (b *batch) flush(accepted int) {
	f := b.f
	if b.held > 0 {
		f.memory.payloads.Add(b.held)
		b.held = 0
	}
	for i, n := range b.rejected {
		if n > 0 {
			f.metrics.rejected[i].Add(n)
			b.rejected[i] = 0
			accepted -= n
		}
	}
	for i, g := range b.plan.groups {
		gb := &b.groups[i]
		if accepted > 0 {
			g.metrics.accepted.Add(accepted)
		}
		for reason, n := range gb.filtered {
			if n > 0 {
				g.metrics.filtered[reason].Add(n)
			}
		}
		if gb.sampledOut > 0 {
			g.metrics.sampledOut.Add(gb.sampledOut)
		}
		*gb = groupBatch{}
	}
	for i, t := range b.plan.slots {
		tb := &b.targets[i]
		if tb.selected == 0 {
			continue
		}
		t.metrics.selected.Add(tb.selected)
		t.metrics.countDropped(&tb.dropped)
		t.countProduction(&tb.beside)
		if len(tb.entries) > 0 {
			t.held.Add(tb.held)
			t.push(tb.entries, b.now)
			clear(tb.entries)
		}
		*tb = targetBatch{entries: tb.entries[:0]}
	}
}

// serialise copies the prepared request into a payload with refs references.
func (b *batch) serialise(rules *wire.Rules, p *wire.Prepared, refs int) *payload {
	pl := b.free.acquire(&b.f.payloads, payloadBytes(p, b.plan.records))
	pl.refs.Store(int32(refs))
	var l wire.Layout
	pl.buf, l = rules.Append(pl.buf, p)
	pl.path, pl.hostStart, pl.hostEnd = int32(l.Path), int32(l.HostStart), int32(l.HostEnd)
	pl.fields, pl.body = int32(l.Fields), int32(l.Body)
	pl.flags = flagsOf(l)
	pl.origin = 0
	if pl.status = p.Request.Production.Status; pl.status != 0 || b.plan.records {
		pl.keepProduction(&p.Request.Production)
	}
	return pl
}

// enter returns the plan in force, for a batch that calls leave at its end.
func (f *Fanout) enter() *plan {
	for {
		p := f.plan.Load()
		p.users.Add(1)
		if f.plan.Load() == p {
			return p
		}
		p.leave()
	}
}
