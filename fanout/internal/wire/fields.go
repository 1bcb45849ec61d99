package wire

import (
	"bytes"
	"slices"

	"github.com/mirrorgate/mirrorgate/codec"
)

// field is a header field that goes out. Its slices are borrowed.
type field struct{ name, value []byte }

// readFields validates the fields and keeps those that go out.
func (r *Rules) readFields(p *Prepared) codec.RejectReason {
	var lengths int
	var length []byte
	loop := false
	fields, size := p.fields, 0
	it := p.Request.Headers.Iter()
	for it.Next() {
		if !ValidName(it.Name) || !ValidValue(it.Value) {
			return codec.RejectMalformed
		}
		switch r.fields.of(it.Name) {
		case dropField:
			continue
		case upgradeField:
			p.offers = p.offers || !EqualFold(it.Value, "h2c")
			continue
		case codingField:
			p.chunked = true
			continue
		case connectionField:
			if !p.addHops(it.Value) {
				return codec.RejectMalformed
			}
			continue
		case markerField:
			loop = true
			continue
		case hostField:
			if p.host >= 0 {
				return codec.RejectMalformed // RFC 9112 section 3.2
			}
			p.host = len(fields)
		case lengthField:
			lengths++
			length = it.Value
		case typeField:
			p.grpc = p.grpc || isGRPC(it.Value)
		case teField:
			p.trailers = p.trailers || acceptsTrailers(it.Value)
			continue
		case forwardedField:
			if r.forwards(p) {
				size += len(it.Value) + len(separator)
				continue
			}
		}
		fields = append(fields, field{it.Name, it.Value})
		size += lineLen(len(it.Name), len(it.Value))
	}
	p.fields, p.size = fields, size
	if it.Err() != nil {
		return codec.RejectMalformed
	}
	if loop {
		return codec.RejectLoop
	}
	p.judgeLength(lengths, length)
	if len(p.hops) > 0 {
		p.dropHops()
	}
	return codec.RejectNone
}

// maxHops bounds the names in Connection, each of which is compared with each
// field. A client that sent thousands would hold up an event loop.
const maxHops = 32

var comma = []byte(",")

// addHops collects the names in a value of Connection (RFC 9110 section 7.6.1).
// It reports whether they are few enough.
func (p *Prepared) addHops(value []byte) bool {
	for len(value) > 0 {
		var name []byte
		name, value, _ = bytes.Cut(value, comma)
		if name = bytes.Trim(name, " \t"); len(name) == 0 {
			continue
		}
		if len(p.hops) == maxHops {
			return false
		}
		p.hops = append(p.hops, name)
	}
	return true
}

// dropHops removes the fields that Connection names as hop-by-hop, Host and
// Content-Length excepted: without them the request would be another one.
func (p *Prepared) dropHops() {
	p.dropFields(func(name []byte) bool {
		if EqualFold(name, "host") || EqualFold(name, "content-length") {
			return false
		}
		return slices.ContainsFunc(p.hops, func(hop []byte) bool {
			return len(hop) == len(name) && bytes.EqualFold(hop, name)
		})
	})
}

func (p *Prepared) dropFields(drop func(name []byte) bool) {
	kept := p.fields[:0]
	host := -1
	for i, fd := range p.fields {
		if drop(fd.name) {
			continue
		}
		if i == p.host {
			host = len(kept)
		}
		kept = append(kept, fd)
	}
	p.fields, p.host = kept, host
}
