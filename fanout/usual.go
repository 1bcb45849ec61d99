package fanout

import "encoding/binary"

// maxUsual is the longest list of fields, in bytes, that the short cut takes.
const maxUsual = 16 << 10

// scanUsual is scanHeaders for a request as nearly all are: it checks the fields
// where they lie, many bytes at once, and keeps in p.runs what goes out. It
// reports whether it could; if not, p is as before and the thorough way decides.
// It never rejects.
//
// Values, and whatever else stands in the list, are checked all together: no byte
// of it may be a control character but the lengths, which are counted on the way.
func (pl *plan) scanUsual(p *prepared) bool {
	raw := p.req.Headers.Raw
	if p.req.Headers.Text || len(raw) < 2 || len(raw) > maxUsual {
		return false
	}
	runs := p.runs
	begin, at := 0, 0 // of the run, and of the field
	size, hostStart, hostEnd, hasLength := 0, 0, 0, false
	for raw[at] != 0 {
		n := int(raw[at])
		v := at + 2 + n
		if n >= 240 || v >= len(raw) {
			return false
		}
		m := int(raw[v-1])
		end := v + m
		if m >= 240 || end >= len(raw) {
			return false
		}
		if at+1+8 > len(raw) || !isLower(raw, at+1, n) {
			if !validName(raw[at+1 : v-1]) {
				return false
			}
		}
		if v+8 > len(raw) || !isVisible(raw, v, m) {
			if !validValue(raw[v:end]) {
				return false
			}
		}
		is := fateKeep
		if pl.fates.mayKnow(n, raw[at+1]) {
			is = pl.fates.of(raw[at+1 : v-1])
		}
		switch is {
		case fateKeep:
		case fateDrop:
			runs, begin = cutRun(runs, raw[begin:at]), end
			at = end
			continue
		case fateHost:
			if hostEnd > 0 {
				return false
			}
			hostStart, hostEnd = size, size+lineLen(n, m)
		case fateLength:
			n, ok := parseLength(raw[v:end])
			if hasLength || !ok || n != uint64(len(p.req.Body)) {
				return false
			}
			hasLength = true
		case fateConnection:
			if string(raw[v:end]) != "keep-alive" {
				return false
			}
			runs, begin = cutRun(runs, raw[begin:at]), end
			at = end
			continue
		case fateForwarded:
			if pl.forwards(p) {
				return false
			}
		default:
			return false
		}
		size += lineLen(n, m)
		at = end
	}
	if at+2 != len(raw) || raw[at+1] != 0 {
		return false
	}
	if !hasLength && (p.req.Full || p.req.BodySize > int64(len(p.req.Body))) {
		return false
	}
	p.runs, p.hostStart, p.hostEnd = cutRun(runs, raw[begin:at]), hostStart, hostEnd
	p.hasLength, p.keepCL, p.size = hasLength, hasLength, size
	return true
}

func lineLen(name, value int) int { return name + len(": ") + value + len("\r\n") }

// cutRun appends a run of fields that go out, unless it is empty.
func cutRun(runs [][]byte, run []byte) [][]byte {
	if len(run) == 0 {
		return runs
	}
	return append(runs, run)
}

// isLower reports whether the n bytes of b from at on are a name in HAProxy's
// spelling: small letters and hyphens. There must be 8 bytes to read.
func isLower(b []byte, at, n int) bool {
	odd := notLower(word(b, at))
	if n <= 8 {
		return odd<<(uint(8-n)*8)&highs == 0
	}
	end := at + n - 8
	for at += 8; at < end; at += 8 {
		odd |= notLower(word(b, at))
	}
	return (odd|notLower(word(b, end)))&highs == 0
}

// notLower sets the highest bit of each byte of x that is neither a small letter
// nor a hyphen; other bits mean nothing.
func notLower(x uint64) uint64 {
	low := x &^ highs
	letter := (low + ones*(0x80-'a')) &^ (low + ones*(0x7f-'z'))
	hyphen := ones*0x80 - (low ^ ones*'-')
	return x | ^(letter | hyphen)
}

// isVisible reports whether the n bytes of b from at on are printable ASCII. There
// must be 8 bytes to read.
func isVisible(b []byte, at, n int) bool {
	odd := notVisible(word(b, at))
	if n <= 8 {
		return odd<<(uint(8-n)*8)&highs == 0
	}
	end := at + n - 8
	for at += 8; at < end; at += 8 {
		odd |= notVisible(word(b, at))
	}
	return (odd|notVisible(word(b, end)))&highs == 0
}

func word(b []byte, at int) uint64 { return binary.LittleEndian.Uint64(b[at : at+8 : at+8]) }

// notVisible sets the highest bit of each byte of x that is not printable ASCII,
// and of some behind such a byte; other bits mean nothing.
func notVisible(x uint64) uint64 { return (x - ones*' ') | (x + ones) | x }

// appendRun appends the fields of a run as the lines that go out.
func appendRun(dst, run []byte) []byte {
	for at := 0; at < len(run); {
		n := int(run[at])
		v := at + 2 + n
		m := int(run[v-1])
		to := len(dst)
		end := to + lineLen(n, m)
		if v+m+step > len(run) || end+step > cap(dst) {
			dst = appendField(dst, run[at+1:v-1], run[v:v+m])
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
