package fanout

import (
	"slices"

	"github.com/mirrorgate/mirrorgate/fanout/internal/wire"
)

// variant is what becomes of requests for the targets whose rules are equal: they share
// one copy. Nearly always there is one variant.
type variant struct {
	options wire.Options
	rules   *wire.Rules
}

// newVariants returns those of the targets, in the order of cfg.Targets, with which
// one each has. The first is that of targets without rules of their own, which says
// whether a request may be mirrored at all.
func newVariants(cfg *Config) (all []variant, of []int) {
	all = []variant{{cfg.wire(), wire.NewRules(cfg.wire())}}
	for i := range cfg.Targets {
		options := cfg.wireFor(&cfg.Targets[i])
		at := slices.IndexFunc(all, func(v variant) bool { return v.options.SameCopy(&options) })
		if at < 0 {
			at = len(all)
			all = append(all, variant{options, wire.NewRules(options)})
		}
		of = append(of, at)
	}
	return all, of
}

// copies makes a copy of the current request for each variant of the chosen targets,
// and hands each target its own.
func (b *batch) copies(luck *draw, pair *pair) {
	for v := range b.plan.variants {
		refs := 0
		for _, t := range b.chosen {
			if b.plan.variantOf[t.slot] == v {
				refs++
			}
		}
		if refs == 0 {
			continue
		}
		p := &b.prepared
		if v > 0 {
			p = &b.varied
			// The first rules have let it pass: others change fields, no verdict.
			if b.plan.variants[v].rules.Prepare(p, b.prepared.Request) != 0 {
				panic("BUG: rules of a target reject what those of all let pass")
			}
		}
		b.deliver(b.serialise(b.plan.variants[v].rules, p, refs), v, luck, pair)
	}
}

// deliver puts the copy into the batches of the chosen targets of a variant.
func (b *batch) deliver(pl *payload, v int, luck *draw, pair *pair) {
	if b.plan.records {
		pl.keepOrigin(luck, b.prepared.Request.Source)
	}
	pl.pair = pair
	b.held += pl.cost()
	for _, t := range b.chosen {
		if b.plan.variantOf[t.slot] != v {
			continue
		}
		tb := &b.targets[t.slot]
		e := entry{payload: pl, at: b.now, size: int32(len(pl.buf)), flags: pl.flags}
		if pair != nil {
			pair.join(&e, t)
		}
		tb.entries = append(tb.entries, e)
		tb.held += pl.cost()
	}
}
