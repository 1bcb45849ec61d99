package compare

import "fmt"

// Result names the first layer in which two responses differ.
type Result uint8

const (
	Same       Result = iota // all layers were compared and are equal
	Status                   // the status codes
	Header                   // names or values of header fields
	Body                     // the bodies
	Error                    // a response on one side, a failure on the other
	Uncompared               // equal as far as was looked, but not all could be
	Results
)

var resultNames = [Results]string{"same", "status", "header", "body", "error", "uncompared"}

func (r Result) String() string { return resultNames[r] }

// MarshalText writes the name, as metrics and JSON have it.
func (r Result) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (r *Result) UnmarshalText(b []byte) error {
	for i, name := range resultNames {
		if name == string(b) {
			*r = Result(i)
			return nil
		}
	}
	return fmt.Errorf("cannot read result: %q is none", b)
}

// Kind says how a field differs.
type Kind uint8

const (
	Value   Kind = iota // another value of the same type
	Type                // another type: "5" for 5, or a body that is no JSON
	Missing             // only the reference has it
	Extra               // only the other one has it
	kinds
)

var kindNames = [kinds]string{"value", "type", "missing", "extra"}

func (k Kind) String() string { return kindNames[k] }

// MarshalText writes the name, as JSON has it.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (k *Kind) UnmarshalText(b []byte) error {
	for i, name := range kindNames {
		if name == string(b) {
			*k = Kind(i)
			return nil
		}
	}
	return fmt.Errorf("cannot read kind of difference: %q is none", b)
}

// Field is a place in which two responses differ, and how.
type Field struct {
	Layer Result `json:"layer"` // Status, Header, Body or Error
	// Path is the place inside the layer: a header field's name in small letters, a
	// path in JSON as items[].price, a form's key; of a status "200 → 500" or "grpc-status 0 → 13", of an error
	// its kind. It is empty for a body as a whole.
	Path string `json:"path"`
	Kind Kind   `json:"kind"`
}

// OtherField counts for the fields of a pair beyond those that are told apart.
var OtherField = Field{Layer: Body, Path: "(other)", Kind: Value}

func (f Field) String() string {
	s := f.Layer.String()
	if f.Path != "" {
		s += ": " + f.Path
	}
	if f.Kind != Value {
		s += " (" + f.Kind.String() + ")"
	}
	return s
}
