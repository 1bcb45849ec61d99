package fanout

import (
	"time"

	"github.com/mirrorgate/mirrorgate/fanout/compare"
	"github.com/mirrorgate/mirrorgate/fanout/compare/example"
	"github.com/mirrorgate/mirrorgate/fanout/compare/tally"
)

// examplesPerSecond bounds what is spent on examples of fields that have enough.
const examplesPerSecond = 10

// keepExample keeps an explained pair that differs otherwise than noise does. n.mu
// is held.
func (n *comparison) keepExample(tp *tally.Pair, p *pair, route string) {
	if n.rules.from.NoExamples || !tp.Diff.Explained || !n.memory.fits(example.MaxExample) {
		return
	}
	var fields []compare.Field
	for _, f := range tp.Diff.Fields {
		if tp.Noise == nil || !tp.Noise.Differs(f) {
			fields = append(fields, f)
		}
	}
	if len(fields) == 0 || !n.examples.Lacks(route, fields) && !n.limit.allow(n.now()) {
		return
	}
	e := &example.Example{Time: time.Now(), Route: route, Fields: fields, Method: string(tp.Method)}
	m := n.rules.mask
	header, body := p.payload.sections()
	e.Target = string(m.AppendTarget(nil, tp.Target))
	e.Header = string(m.AppendHeader(nil, header))
	e.Body = string(m.AppendBody(nil, compare.FieldValue(header, "content-type"), body, 0))
	e.Against = n.exampleSide(tp.Reference, tp.Diff.Line)
	e.Mirror = n.exampleSide(tp.Response, tp.Diff.Line)
	n.examples.Add(e)
	n.countExamples()
}

func (n *comparison) exampleSide(r *compare.Response, line int) example.Side {
	s := example.Side{Status: r.Status, Error: r.Error, Seconds: r.Duration.Seconds()}
	if r.Error != "" {
		return s
	}
	m := n.rules.mask
	s.Header = string(m.AppendHeader(nil, r.Header))
	s.Body = string(m.AppendBody(nil, compare.FieldValue(r.Header, "content-type"), n.rules.comparer.Content(r), line))
	return s
}

// countExamples follows in memory what the examples take. n.mu is held.
func (n *comparison) countExamples() {
	held := int64(n.examples.Bytes())
	n.memory.examples.Add(held - n.held)
	n.held = held
}
