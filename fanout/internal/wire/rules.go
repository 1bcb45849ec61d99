package wire

import (
	"fmt"
	"slices"
	"strings"
)

// Header is a field to set on every mirrored request.
type Header struct{ Name, Value string }

// Options say what becomes of header fields, and of a body that is not whole.
type Options struct {
	SetHeaders    []Header // replace what the request has of that name, '_' taken for '-'
	DelHeaders    []string // names, '_' taken for '-'
	SendTruncated bool     // send what came of a truncated body instead of rejecting it
	ForwardedFor  Forwarded
	Trace         Trace
	Rewrite       Rewrite
}

// The marker tells a request that was mirrored before: it is never mirrored
// again. The other one tells the target that the body is not whole.
const (
	markerName    = "x-mirrored-by"
	truncatedName = "x-mirrored-truncated"
	markerLine    = "X-Mirrored-By: mirrorgate\r\n"
	truncatedLine = "X-Mirrored-Truncated: true\r\n"
)

// reserved are the fields that mirrorgate writes itself, so no option may touch
// them.
var reserved = []string{"host", "content-length", markerName}

// Validate returns an error that names the option that is wrong and says what
// would be right.
func (o *Options) Validate() error {
	for _, h := range o.SetHeaders {
		if err := o.checkName("--set-header", h.Name); err != nil {
			return err
		}
		if !ValidValue([]byte(h.Value)) {
			return fmt.Errorf("--set-header %s: the value has a byte that HTTP forbids", h.Name)
		}
	}
	if err := o.Rewrite.validate(); err != nil {
		return err
	}
	for _, name := range o.DelHeaders {
		if err := o.checkName("--del-header", name); err != nil {
			return err
		}
	}
	return nil
}

func (o *Options) checkName(option, name string) error {
	if !ValidName([]byte(name)) {
		// Whoever forgot the colon wrote a value here, which may be a secret.
		name, _, _ = strings.Cut(name, " ")
		return fmt.Errorf("%s: %q is no header name", option, name)
	}
	if slices.Contains(reserved, foldName(name)) {
		return fmt.Errorf("%s %s: mirrorgate sets this field itself; for Host use --host", option, name)
	}
	if o.Trace != TraceKeep && slices.Contains(traceFields, foldName(name)) {
		return fmt.Errorf("%s %s: --trace %s rules this field; give only one of the two", option, name, o.Trace)
	}
	if o.ForwardedFor != ForwardedKeep && foldName(name) == forwardedName {
		return fmt.Errorf("%s %s: --forwarded-for %s writes this field; give only one of the two", option, name, o.ForwardedFor)
	}
	return nil
}

// Rules are Options made ready for requests. They never change.
type Rules struct {
	options  Options
	fields   *fieldRules
	tail     []byte // what ends every header section, from the fields set by option on
	overhead int    // bytes that a request in wire format can have besides its own
}

// NewRules returns the rules of valid options, which it keeps.
func NewRules(o Options) *Rules {
	r := &Rules{options: o, fields: newFieldRules(&o)}
	for _, h := range o.SetHeaders {
		r.tail = AppendField(r.tail, h.Name, []byte(h.Value))
	}
	r.tail = append(r.tail, markerLine+"\r\n"...)
	r.overhead = len(" / HTTP/1.1\r\nhost: \r\ncontent-length: 9223372036854775807\r\n"+truncatedLine) + len(r.tail)
	if o.ForwardedFor != ForwardedKeep {
		r.overhead += maxForwarded
	}
	if o.Trace == TraceNew {
		r.overhead += traceLine
	}
	r.overhead += len(o.Rewrite.To)
	return r
}

// SameCopy reports whether one copy of a request serves targets with either options.
func (o *Options) SameCopy(p *Options) bool {
	return slices.Equal(o.SetHeaders, p.SetHeaders) && slices.Equal(o.DelHeaders, p.DelHeaders) &&
		o.SendTruncated == p.SendTruncated && o.ForwardedFor == p.ForwardedFor &&
		o.Trace == p.Trace && o.Trace != TraceNew && o.Rewrite == p.Rewrite
}
