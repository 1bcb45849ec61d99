package wire

import (
	"encoding/binary"

	"github.com/mirrorgate/mirrorgate/codec"
)

// maxFastPath is the longest list of fields, in bytes, that the fast path takes.
const maxFastPath = 16 << 10

// takeFastPath is readFields for a request as nearly all are: it checks the fields
// where they lie, many bytes at once, and keeps in p.runs what goes out. It
// reports whether it could; if not, p is as before and readFields decides. It never
// rejects.
func (r *Rules) takeFastPath(p *Prepared) bool {
	if !p.Request.Headers.Text && len(p.Request.Headers.Raw) <= maxFastPath && r.findRuns(p) &&
		(p.hasLength || !p.cut()) {
		return true
	}
	p.resetFields()
	return false
}

// findRuns reads the list of fields. The length of a name must be one byte; that
// of a value may be more, for cookies and tokens are long.
func (r *Rules) findRuns(p *Prepared) bool {
	raw := p.Request.Headers.Raw
	begin, at, size := 0, 0, 0 // of the run, of the field, of the lines
	for at < len(raw) && raw[at] != 0 {
		n := int(raw[at])
		nameEnd := at + 1 + n
		v := nameEnd + 1
		if n >= longLength || v >= len(raw) {
			return false
		}
		m := int(raw[nameEnd])
		if m >= longLength {
			if m, v = readLength(raw, nameEnd); v == 0 {
				return false
			}
		}
		end := v + m
		if end > len(raw) || !validField(raw, at+1, nameEnd, v, end) {
			return false
		}
		if r.fields.mayRule(n, raw[at+1]) {
			keep, ok := r.judgeField(p, raw[at+1:nameEnd], raw[v:end], size)
			if !ok {
				return false
			}
			if !keep {
				p.addRun(raw[begin:at])
				begin, at = end, end
				continue
			}
		}
		size += lineLen(n, m)
		at = end
	}
	if at+2 != len(raw) || raw[at+1] != 0 {
		return false
	}
	p.addRun(raw[begin:at])
	p.size = size
	return true
}

// longLength is the least length that takes more than one byte
// (SPOE.txt section 3.1).
const longLength = 240

// readLength reads the length of a value at b[at], and returns where the value
// begins: 0 if the length is not readable, or longer than the list.
func readLength(b []byte, at int) (length, value int) {
	u, n, err := codec.Uvarint(b[at:])
	if err != nil || u > uint64(len(b)) {
		return 0, 0
	}
	return int(u), at + n
}

// addRun adds a run of fields that go out, unless it is empty.
func (p *Prepared) addRun(run []byte) {
	if len(run) > 0 {
		p.runs = append(p.runs, run)
	}
}

// judgeField decides on a field that is perhaps not merely kept, and whose line
// would be at the given offset: whether it goes out, and whether the fast path may
// say so.
func (r *Rules) judgeField(p *Prepared, name, value []byte, at int) (keep, ok bool) {
	switch r.fields.of(name) {
	case keepField:
		return true, true
	case dropField, upgradeField: // to upgrade takes a Connection that says so, which is not read here
		return false, true
	case codingField:
		p.chunked = true
		return false, true
	case hostField:
		if p.hostEnd > 0 {
			return false, false
		}
		p.hostStart, p.hostEnd = at, at+lineLen(len(name), len(value))
		return true, true
	case lengthField:
		n, ok := ParseLength(value)
		if p.hasLength || !ok || n != uint64(len(p.Request.Body)) {
			return false, false
		}
		p.hasLength, p.keepCL = true, true
		return true, true
	case connectionField:
		return false, string(value) == "keep-alive"
	case forwardedField:
		return true, !r.forwards(p)
	case typeField:
		p.grpc = p.grpc || isGRPC(value)
		return true, true
	case teField:
		p.trailers = p.trailers || acceptsTrailers(value)
		return false, true
	}
	return false, false
}

// validField checks the name in b[at:nameEnd] and the value in b[v:end]. Names in
// HAProxy's spelling, small letters and hyphens, and values of printable ASCII are
// checked eight bytes at once.
func validField(b []byte, at, nameEnd, v, end int) bool {
	if v+8 > len(b) {
		return ValidName(b[at:nameEnd]) && ValidValue(b[v:end])
	}
	odd := notLower(word(b, at))
	if n := nameEnd - at; n <= 8 {
		odd <<= uint(8-n) * 8
	} else {
		for i := at + 8; i < nameEnd-8; i += 8 {
			odd |= notLower(word(b, i))
		}
		odd |= notLower(word(b, nameEnd-8))
	}
	if odd&highs != 0 && !ValidName(b[at:nameEnd]) {
		return false
	}
	odd = notPrintable(word(b, v))
	if n := end - v; n <= 8 {
		odd <<= uint(8-n) * 8
	} else {
		for i := v + 8; i < end-8; i += 8 {
			odd |= notPrintable(word(b, i))
		}
		odd |= notPrintable(word(b, end-8))
	}
	return odd&highs == 0 || ValidValue(b[v:end])
}

func word(b []byte, at int) uint64 { return binary.LittleEndian.Uint64(b[at : at+8 : at+8]) }

// notPrintable sets the highest bit of each byte of x that is no printable ASCII,
// and of some behind such a byte; other bits mean nothing.
func notPrintable(x uint64) uint64 { return (x - ones*' ') | (x + ones) | x }

// notLower sets the highest bit of each byte of x that is neither a small letter
// nor a hyphen; other bits mean nothing.
func notLower(x uint64) uint64 {
	low := x &^ highs
	letter := (low + ones*(0x80-'a')) &^ (low + ones*(0x7f-'z'))
	hyphen := ones*0x80 - (low ^ ones*'-')
	return x | ^(letter | hyphen)
}

// appendRun appends the fields of a run as the lines that go out.
func appendRun(dst, run []byte) []byte {
	for at := 0; at < len(run); {
		n := int(run[at])
		nameEnd := at + 1 + n
		v := nameEnd + 1
		m := int(run[nameEnd])
		long := m >= longLength // then the steps are slower than copy
		if long {
			m, v = readLength(run, nameEnd)
		}
		to := len(dst)
		end := to + lineLen(n, m)
		if long || v+m+step > len(run) || end+step > cap(dst) {
			dst = AppendField(dst, run[at+1:nameEnd], run[v:v+m])
		} else {
			dst = dst[:end+step]
			copySteps(dst, to, run, at+1, n)
			dst[to+n], dst[to+n+1] = ':', ' '
			copySteps(dst, to+n+2, run, v, m)
			dst[end-2], dst[end-1] = '\r', '\n'
			dst = dst[:end]
		}
		at = v + m
	}
	return dst
}

// step is how many bytes copySteps copies at once.
const step = 16

// copySteps copies n bytes of src from at on to dst from to on, and what is behind
// them up to the next multiple of step. That takes half of the time of copy, as
// short as fields are.
func copySteps(dst []byte, to int, src []byte, at, n int) {
	for end := at + n; at < end; at, to = at+step, to+step {
		*(*[step]byte)(dst[to : to+step : to+step]) = *(*[step]byte)(src[at : at+step : at+step])
	}
}
