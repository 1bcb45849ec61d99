package route

// ID stands for a segment that names one thing of many.
const ID = "{id}"

// maxSegment is the length in bytes of the longest segment that is kept.
const maxSegment = 64

// AppendSegment appends a segment of a path, or ID if it looks like the name of
// one thing of many: a number or date, a UUID, hex digits, a long random string.
// Keys of JSON objects are folded by the same rule.
func AppendSegment(dst, segment []byte) []byte {
	if varies(segment) {
		return append(dst, ID...)
	}
	return append(dst, segment...)
}

func varies(segment []byte) bool {
	const (
		minHex    = 8
		minRandom = 16
		// A random string changes more often between small letters, capitals and
		// digits than words and years do.
		charactersAChange = 5
	)
	if len(segment) > maxSegment {
		return true
	}
	var digits, hex, dashes, others, changes int
	var last class
	for _, c := range segment {
		k := classOf(c)
		switch {
		case k == digit:
			digits++
		case k != none && c|0x20 <= 'f':
			hex++
		case c == '-' || c == '_':
			dashes++
		case c == '.' || c == ':' || c == ',':
			others++
		case k == none:
			return false
		}
		if k != none {
			if last != none && k != last {
				changes++
			}
			last = k
		}
	}
	n := len(segment)
	switch {
	case digits == 0:
		return false
	case digits+dashes+others == n: // a number, a date, a version
		return true
	case others > 0:
		return false
	case n >= minHex && digits+hex+dashes == n && (dashes == 0 || isUUID(segment)):
		return true
	}
	return n >= minRandom && digits > 1 && changes*charactersAChange >= n
}

func isUUID(b []byte) bool {
	return len(b) == 36 && b[8] == '-' && b[13] == '-' && b[18] == '-' && b[23] == '-'
}

type class uint8

const (
	none class = iota
	digit
	small
	capital
)

func classOf(c byte) class {
	switch {
	case '0' <= c && c <= '9':
		return digit
	case 'a' <= c && c <= 'z':
		return small
	case 'A' <= c && c <= 'Z':
		return capital
	}
	return none
}
