package compare

import (
	"bytes"
	"math"
)

// sameNumber compares two numbers, as JSON has them, by their decimal value: 1.0
// is 1e0, however many digits there are. What is no number equals itself alone.
func sameNumber(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	x, okX := parseDecimal(a)
	y, okY := parseDecimal(b)
	if !okX || !okY {
		return false
	}
	if x.first < 0 || y.first < 0 {
		return x.first == y.first // zero has no sign here
	}
	return x.negative == y.negative && x.exponent == y.exponent && sameDigits(a[x.first:x.end], b[y.first:y.end])
}

// decimal is ±0.d1d2d3… × 10^exponent, with the digits d from first to end in the
// text, in which a point may stand. The first and the last digit are not zero; first
// is -1 for zero.
type decimal struct {
	negative   bool
	first, end int
	exponent   int64
}

func parseDecimal(s []byte) (d decimal, ok bool) {
	d.first = -1
	i := 0
	if i < len(s) && s[i] == '-' {
		d.negative = true
		i++
	}
	digits, point := 0, false
	for ; i < len(s); i++ {
		c := s[i]
		if c == '.' && !point {
			point = true
			continue
		}
		if c < '0' || c > '9' {
			break
		}
		digits++
		if c != '0' {
			if d.first < 0 {
				d.first = i
			}
			d.end = i + 1
		}
		switch {
		case d.first >= 0 && !point:
			d.exponent++
		case d.first < 0 && point:
			d.exponent--
		}
	}
	power, ok := parseExponent(s[i:])
	d.exponent += power
	return d, ok && digits > 0
}

// parseExponent reads e±digits, or nothing. Beyond a limit all exponents are one.
func parseExponent(s []byte) (n int64, ok bool) {
	if len(s) == 0 {
		return 0, true
	}
	if s[0]|0x20 != 'e' {
		return 0, false
	}
	s = s[1:]
	negative := len(s) > 0 && s[0] == '-'
	if len(s) > 0 && (s[0] == '-' || s[0] == '+') {
		s = s[1:]
	}
	for _, c := range s {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = min(n*10+int64(c-'0'), math.MaxInt64/100)
	}
	if negative {
		n = -n
	}
	return n, len(s) > 0
}

// sameDigits compares digits, in which a point does not count.
func sameDigits(a, b []byte) bool {
	for {
		if len(a) > 0 && a[0] == '.' {
			a = a[1:]
		}
		if len(b) > 0 && b[0] == '.' {
			b = b[1:]
		}
		if len(a) == 0 || len(b) == 0 {
			return len(a) == len(b)
		}
		if a[0] != b[0] {
			return false
		}
		a, b = a[1:], b[1:]
	}
}
