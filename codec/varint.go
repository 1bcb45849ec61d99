package codec

import "errors"

var (
	// ErrShort says that the bytes end before the value does.
	ErrShort = errors.New("value is truncated")
	// ErrOverflow says that a varint does not fit into 64 bits.
	ErrOverflow = errors.New("varint overflows 64 bits")
)

// maxVarint is the length in bytes of the longest varint.
const maxVarint = 10

// AppendUvarint appends v to dst in SPOP's variable-length encoding
// (SPOE.txt section 3.1) and returns the extended slice.
func AppendUvarint(dst []byte, v uint64) []byte {
	if v < 240 {
		return append(dst, byte(v))
	}
	dst = append(dst, byte(v)|240)
	v = (v - 240) >> 4
	for v >= 128 {
		dst = append(dst, byte(v)|128)
		v = (v - 128) >> 7
	}
	return append(dst, byte(v))
}

// Uvarint decodes the varint that b starts with and returns it with the number
// of bytes read. The encoding is a bijection, so there are no overlong forms:
// the errors are ErrShort, and ErrOverflow where HAProxy itself would wrap.
func Uvarint(b []byte) (v uint64, n int, err error) {
	if len(b) > 0 && b[0] < 240 {
		return uint64(b[0]), 1, nil
	}
	return uvarintLong(b)
}

func uvarintLong(b []byte) (v uint64, n int, err error) {
	if len(b) == 0 {
		return 0, 0, ErrShort
	}
	v = uint64(b[0])
	shift := 4
	for i := 1; i < len(b); i++ {
		if i == maxVarint {
			return 0, 0, ErrOverflow
		}
		c := uint64(b[i])
		// The continuation bit is part of what is added: it must not be masked.
		add := c << shift
		if add>>shift != c || v+add < v {
			return 0, 0, ErrOverflow
		}
		v += add
		if c < 128 {
			return v, i + 1, nil
		}
		shift += 7
	}
	return 0, 0, ErrShort
}

// AppendString appends s to dst behind its length, as SPOP writes strings,
// names and binaries, and returns the extended slice.
func AppendString[S string | []byte](dst []byte, s S) []byte {
	dst = AppendUvarint(dst, uint64(len(s)))
	return append(dst, s...)
}

// String decodes the length-prefixed bytes that b starts with and returns them
// with the number of bytes read. The bytes point into b. A length beyond the
// end of b is ErrShort.
func String(b []byte) (s []byte, n int, err error) {
	size, n, err := Uvarint(b)
	if err != nil {
		return nil, 0, err
	}
	// Compared before any conversion: the length may be beyond int.
	if size > uint64(len(b)-n) {
		return nil, 0, ErrShort
	}
	end := n + int(size)
	return b[n:end:end], end, nil
}
