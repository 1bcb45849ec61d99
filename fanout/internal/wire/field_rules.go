package wire

import "strings"

// fieldRule is what becomes of a header field.
type fieldRule uint8

const (
	keepField fieldRule = iota
	dropField
	hostField
	lengthField
	codingField
	connectionField
	markerField
	forwardedField
)

// hopByHop are the fields that concern one connection only
// (RFC 9110 section 7.6.1), and Expect, which asks for a response that nobody waits
// for.
var hopByHop = []string{
	"keep-alive", "proxy-connection", "te", "trailer", "upgrade", "expect",
}

// fieldRules finds the rule of a name. Most have none and are kept, which their
// length and first letter tell.
type fieldRules struct {
	first    [32]uint32 // by length: the first letters, a bit for each
	byLength [32][]ruledField
	long     []ruledField
}

type ruledField struct {
	name string // lower case
	rule fieldRule
}

func newFieldRules(o *Options) *fieldRules {
	f := &fieldRules{}
	f.add("host", hostField)
	f.add("content-length", lengthField)
	f.add("transfer-encoding", codingField)
	f.add("connection", connectionField)
	f.add(markerName, markerField)
	for _, name := range hopByHop {
		f.add(name, dropField)
	}
	for _, name := range o.DelHeaders {
		f.add(name, dropField)
	}
	for _, h := range o.SetHeaders {
		f.add(h.Name, dropField)
	}
	if o.ForwardedFor != ForwardedKeep {
		f.add(forwardedName, forwardedField)
	}
	return f
}

func (f *fieldRules) add(name string, rule fieldRule) {
	ruled := ruledField{strings.ToLower(name), rule}
	if len(name) < len(f.byLength) {
		f.first[len(name)] |= letterBit(name[0])
		f.byLength[len(name)] = append(f.byLength[len(name)], ruled)
		return
	}
	f.long = append(f.long, ruled)
}

// letterBit is the same for a letter in both cases.
func letterBit(c byte) uint32 { return 1 << (c & 31) }

// mayRule reports whether a name of that length and first letter can have a rule
// other than to be kept.
func (f *fieldRules) mayRule(length int, first byte) bool {
	return length >= len(f.first) || f.first[length]&letterBit(first) != 0
}

func (f *fieldRules) of(name []byte) fieldRule {
	list := f.long
	if len(name) < len(f.byLength) {
		list = f.byLength[len(name)]
	}
	for i := range list {
		if EqualFold(name, list[i].name) {
			return list[i].rule
		}
	}
	return keepField
}
