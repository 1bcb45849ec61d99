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
	upgradeField
	typeField
	teField
)

// private are the fields that end here, in any spelling: credentials for a proxy
// (RFC 9110 section 11.7.2), and what only mirrorgate may say.
var private = []string{"proxy-authorization", truncatedName, markerName}

// hopByHop are the fields that concern one connection only
// (RFC 9110 section 7.6.1), and Expect, which asks for a response that nobody waits
// for.
var hopByHop = []string{
	"keep-alive", "proxy-connection", "trailer", "expect",
}

// fieldRules finds the rule of a name. Most have none and are kept, which their
// length and first letter tell.
type fieldRules struct {
	first    [32]uint32 // by length: the first letters, a bit for each
	byLength [32][]ruledField
	long     []ruledField
}

type ruledField struct {
	name string // lower case; with '-' for '_' if it folds
	rule fieldRule
	// folds says that '_' in a field's name counts as '-', for which CGI and what
	// follows it take both.
	folds bool
}

func newFieldRules(o *Options) *fieldRules {
	f := &fieldRules{}
	exactly := func(name string, rule fieldRule) { f.add(ruledField{name: name, rule: rule}) }
	exactly("host", hostField)
	exactly("content-length", lengthField)
	exactly("transfer-encoding", codingField)
	exactly("connection", connectionField)
	exactly("upgrade", upgradeField)
	exactly(markerName, markerField)
	exactly("te", teField)
	for _, name := range hopByHop {
		exactly(name, dropField)
	}
	folded := func(name string, rule fieldRule) { f.add(ruledField{name: foldName(name), rule: rule, folds: true}) }
	for _, name := range private {
		folded(name, dropField)
	}
	for _, name := range o.DelHeaders {
		folded(name, dropField)
		// Where CGI withholds a field, as it does Authorization, x_authorization is
		// what carries it past that. X-Authorization is a field of its own.
		f.add(ruledField{name: "x_" + foldName(name), rule: dropField, folds: true})
	}
	for _, h := range o.SetHeaders {
		folded(h.Name, dropField)
	}
	if o.Trace != TraceKeep {
		for _, name := range traceFields {
			folded(name, dropField)
		}
	}
	if o.ForwardedFor != ForwardedKeep {
		folded(forwardedName, forwardedField)
	}
	exactly("content-type", typeField) // behind what options say of it
	return f
}

// add puts a field behind those that come before it: the first that fits rules.
func (f *fieldRules) add(field ruledField) {
	n := len(field.name)
	if n >= len(f.byLength) {
		f.long = append(f.long, field)
		return
	}
	f.first[n] |= letterBit(field.name[0])
	if field.folds && field.name[0] == '-' {
		f.first[n] |= letterBit('_')
	}
	f.byLength[n] = append(f.byLength[n], field)
}

// foldName returns the name that CGI makes the same variable of.
func foldName(name string) string { return strings.ReplaceAll(strings.ToLower(name), "_", "-") }

// is reports whether a field of that name is meant.
func (f *ruledField) is(name []byte) bool {
	if !f.folds || len(name) != len(f.name) {
		return EqualFold(name, f.name)
	}
	for i, c := range name {
		if tokenBytes[c] != f.name[i] && (c != '_' || f.name[i] != '-') {
			return false
		}
	}
	return true
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
		if list[i].is(name) {
			return list[i].rule
		}
	}
	return keepField
}
