package fanout

import "encoding/binary"

// maxUsual is the longest list of fields, in bytes, that the short cut takes: its
// scratch stays small, and in the cache.
const maxUsual = 16 << 10

// scanUsual is scanHeaders for a request as nearly all are: it checks each byte
// of the fields and copies it in one go, into scratch, as the lines that go out.
// It reports whether it could; if not, p is as before and the thorough way
// decides. It never rejects.
func (pl *plan) scanUsual(p *prepared) bool {
	raw := p.req.Headers.Raw
	if p.req.Headers.Text || len(raw) > maxUsual {
		return false
	}
	if cap(p.lines) < 2*len(raw) {
		p.lines = make([]byte, 0, 4*len(raw))
	}
	out := p.lines[:cap(p.lines)] // a field is at least 3 bytes and grows by 2
	at, hostStart, hostEnd, hasLength := 0, 0, 0, false
	for {
		name, value, rest, ok := cutField(raw)
		if !ok {
			return false
		}
		if len(name) == 0 {
			break
		}
		raw = rest
		end := at + len(name) + len(": ") + len(value) + len("\r\n")
		line := out[at:end]
		if !copyName(line, name) {
			return false
		}
		line[len(name)], line[len(name)+1] = ':', ' '
		if !copyValue(line[len(name)+2:], value) {
			return false
		}
		line[len(line)-2], line[len(line)-1] = '\r', '\n'
		switch pl.fates.of(name) {
		case fateKeep:
		case fateDrop:
			continue
		case fateHost:
			if hostEnd > 0 {
				return false
			}
			hostStart, hostEnd = at, end
		case fateLength:
			n, ok := parseLength(value)
			if hasLength || !ok || n != uint64(len(p.req.Body)) {
				return false
			}
			hasLength = true
		case fateConnection:
			if string(value) != "keep-alive" {
				return false
			}
			continue
		case fateForwarded:
			if pl.forwards(p) {
				return false
			}
		default:
			return false
		}
		at = end
	}
	if !hasLength && (p.req.Full || p.req.BodySize > int64(len(p.req.Body))) {
		return false
	}
	p.lines, p.hostStart, p.hostEnd = out[:at], hostStart, hostEnd
	p.hasLength, p.keepCL, p.size = hasLength, hasLength, at
	return true
}

// cutField cuts the first field off a list in the form of req.hdrs_bin whose
// lengths are one byte each. An empty name is the end of the list.
func cutField(b []byte) (name, value, rest []byte, ok bool) {
	if len(b) < 2 || b[0] >= 240 {
		return nil, nil, nil, false
	}
	if b[0] == 0 {
		return nil, nil, nil, b[1] == 0 && len(b) == 2
	}
	v := 2 + int(b[0])
	if v > len(b) || b[v-1] >= 240 {
		return nil, nil, nil, false
	}
	end := v + int(b[v-1])
	if end > len(b) {
		return nil, nil, nil, false
	}
	return b[1 : v-1], b[v:end], b[end:], true
}

// copyName copies name to dst, which has room for it, and reports whether it is
// valid. Names in HAProxy's spelling, small letters and hyphens, are checked
// eight bytes at once.
func copyName(dst, name []byte) bool {
	odd := uint64(0)
	n := len(name)
	switch {
	case n >= 8:
		for i := 0; i+8 < n; i += 8 {
			x := binary.LittleEndian.Uint64(name[i:])
			binary.LittleEndian.PutUint64(dst[i:], x)
			odd |= notLower(x)
		}
		x := binary.LittleEndian.Uint64(name[n-8:])
		binary.LittleEndian.PutUint64(dst[n-8:], x)
		odd |= notLower(x)
	case n >= 4:
		x, y := binary.LittleEndian.Uint32(name), binary.LittleEndian.Uint32(name[n-4:])
		binary.LittleEndian.PutUint32(dst, x)
		binary.LittleEndian.PutUint32(dst[n-4:], y)
		odd = notLower(uint64(x) | uint64(y)<<32)
	default:
		copy(dst, name)
		odd = highs
	}
	return odd&highs == 0 || validName(name)
}

// notLower sets the highest bit of each byte of x that is neither a small letter
// nor a hyphen; other bits mean nothing.
func notLower(x uint64) uint64 {
	low := x &^ highs
	letter := (low + ones*(0x80-'a')) &^ (low + ones*(0x7f-'z'))
	hyphen := ones*0x80 - (low ^ ones*'-')
	return x | ^(letter | hyphen)
}

// copyValue copies value to dst, which has room for it, and reports whether it
// is valid.
func copyValue(dst, value []byte) bool {
	odd := uint64(0)
	n := len(value)
	switch {
	case n >= 8:
		for i := 0; i+8 < n; i += 8 {
			x := binary.LittleEndian.Uint64(value[i:])
			binary.LittleEndian.PutUint64(dst[i:], x)
			odd |= control(x, ' ')
		}
		x := binary.LittleEndian.Uint64(value[n-8:])
		binary.LittleEndian.PutUint64(dst[n-8:], x)
		odd |= control(x, ' ')
	case n >= 4:
		x, y := binary.LittleEndian.Uint32(value), binary.LittleEndian.Uint32(value[n-4:])
		binary.LittleEndian.PutUint32(dst, x)
		binary.LittleEndian.PutUint32(dst[n-4:], y)
		odd = control(uint64(x)|uint64(y)<<32, ' ')
	default:
		copy(dst, value)
		odd = highs
	}
	return odd&highs == 0 || validValue(value)
}
