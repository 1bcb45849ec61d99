package http2

// huffmanDigits decodes a Huffman-coded string of up to so many decimal
// digits (RFC 7541 appendix B), which is all that is looked into. It is not ok if
// there is anything else, or no digit.
func huffmanDigits(b []byte, most int) (n int, ok bool) {
	var bits uint64
	if len(b) == 0 || len(b) > 6 {
		return 0, false
	}
	for _, c := range b {
		bits = bits<<8 | uint64(c)
	}
	left := uint(8 * len(b))
	bits <<= 64 - left
	for digits := 0; left >= 5; digits++ {
		digit, length := uint64(0), uint(5)
		switch five, six := bits>>59, bits>>58; {
		case five <= 2:
			digit = five
		case six >= 0x19 && six <= 0x1f && left >= 6:
			digit, length = six-0x19+3, 6
		case digits > 0 && padding(bits, left):
			return n, true
		default:
			return 0, false
		}
		if digits == most {
			return 0, false
		}
		n = 10*n + int(digit)
		bits, left = bits<<length, left-length
	}
	return n, padding(bits, left)
}

// padding reports whether the rest of so many bits, the highest of bits, is none
// but the end of the last byte: less than eight, all of them set.
func padding(bits uint64, left uint) bool {
	return left < 8 && bits>>(64-left) == 1<<left-1
}

// huffmanGRPCStatus is "grpc-status", Huffman-coded: the code of a string is
// unique.
const huffmanGRPCStatus = "\x9a\xca\xc8\xb2\x12\x34\xda\x8f"
