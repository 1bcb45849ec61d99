package codec

import (
	"bytes"
	"errors"
)

// ErrHeaders says that a list of header fields is not well-formed.
var ErrHeaders = errors.New("malformed header list")

// Headers are the header fields of a request as HAProxy sent them: req.hdrs_bin,
// or the text of req.hdrs. The zero value has no field.
type Headers struct {
	Raw  []byte
	Text bool
}

// HeaderIter walks over Headers:
//
//	it := r.Headers.Iter()
//	for it.Next() {
//		use(it.Name, it.Value)
//	}
//	if it.Err() != nil { … }
//
// Name and Value point into Headers.Raw. They are not validated as HTTP.
type HeaderIter struct {
	Name  []byte
	Value []byte

	rest []byte
	text bool
	err  error
}

// Iter returns an iterator that stands before the first field.
func (h Headers) Iter() HeaderIter { return HeaderIter{rest: h.Raw, text: h.Text} }

// Err returns ErrHeaders if Next stopped because the list is not well-formed.
func (it *HeaderIter) Err() error { return it.err }

// Next goes to the next field and reports whether there is one.
func (it *HeaderIter) Next() bool {
	if it.text {
		return it.nextText()
	}
	b := it.rest
	// Nearly all names and values are shorter than 240 bytes, so that their
	// lengths are one byte; something always follows, if only the end.
	if len(b) > 2 && b[0] != 0 && b[0] < 240 {
		value := 2 + int(b[0])
		if value < len(b) && b[value-1] < 240 {
			if end := value + int(b[value-1]); end < len(b) {
				it.Name, it.Value, it.rest = b[1:value-1:value-1], b[value:end:end], b[end:]
				return true
			}
		}
	}
	return it.nextLong()
}

func (it *HeaderIter) nextLong() bool {
	b := it.rest
	if len(b) == 0 {
		return false
	}
	name, n, err := String(b)
	if err != nil {
		return it.fail()
	}
	value, m, err := String(b[n:])
	if err != nil {
		return it.fail()
	}
	it.rest = b[n+m:]
	if len(name) > 0 {
		it.Name, it.Value = name, value
		// The list ends with an empty name and value, so something must follow.
		if len(it.rest) == 0 {
			return it.fail()
		}
		return true
	}
	if len(value) > 0 || len(it.rest) > 0 {
		return it.fail()
	}
	return false
}

// nextText reads a line of req.hdrs, which ends with an empty line.
func (it *HeaderIter) nextText() bool {
	if len(it.rest) == 0 {
		return false
	}
	line, rest, ok := bytes.Cut(it.rest, crlf)
	if !ok {
		return it.fail()
	}
	it.rest = rest
	if len(line) == 0 {
		if len(rest) > 0 {
			return it.fail()
		}
		return false
	}
	name, value, ok := bytes.Cut(line, colon)
	if !ok || len(name) == 0 {
		return it.fail()
	}
	it.Name, it.Value = name, bytes.Trim(value, " \t")
	return true
}

var (
	crlf  = []byte("\r\n")
	colon = []byte(":")
)

func (it *HeaderIter) fail() bool {
	it.err = ErrHeaders
	it.Name, it.Value, it.rest = nil, nil, nil
	return false
}
