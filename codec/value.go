package codec

import "errors"

// Type is the low nibble of the first byte of a typed value
// (SPOE.txt section 3.1; the high nibble holds flags).
type Type uint8

// The types of SPOP 2.0. 10 to 15 are reserved.
const (
	TypeNull   Type = 0
	TypeBool   Type = 1
	TypeInt32  Type = 2
	TypeUint32 Type = 3
	TypeInt64  Type = 4
	TypeUint64 Type = 5
	TypeIPv4   Type = 6
	TypeIPv6   Type = 7
	TypeString Type = 8
	TypeBinary Type = 9
)

const (
	typeMask = 0x0f
	boolTrue = 0x10

	ipv4Size = 4
	ipv6Size = 16
)

func (t Type) isInt() bool { return t >= TypeInt32 && t <= TypeUint64 }

// ErrReservedType says that a value has one of the reserved types. Their length
// is unknown, so nothing behind such a value can be decoded.
var ErrReservedType = errors.New("reserved data type")

// Value is a typed value. Int holds integers, negative ones in two's
// complement; Bytes holds strings, binaries and addresses in network order, and
// points into the bytes that were parsed.
type Value struct {
	Type  Type
	Bool  bool
	Int   uint64
	Bytes []byte
}

// ParseValue decodes the typed value that b starts with and returns it with the
// number of bytes read. The errors are ErrShort, ErrOverflow and
// ErrReservedType.
func ParseValue(b []byte) (v Value, n int, err error) {
	if len(b) == 0 {
		return v, 0, ErrShort
	}
	v.Type = Type(b[0] & typeMask)
	switch v.Type {
	case TypeString, TypeBinary:
		v.Bytes, n, err = String(b[1:])
	case TypeNull:
	case TypeBool:
		v.Bool = b[0]&boolTrue != 0
	case TypeInt32, TypeUint32, TypeInt64, TypeUint64:
		v.Int, n, err = Uvarint(b[1:])
	case TypeIPv4:
		v.Bytes, n, err = fixed(b[1:], ipv4Size)
	case TypeIPv6:
		v.Bytes, n, err = fixed(b[1:], ipv6Size)
	default:
		return v, 0, ErrReservedType
	}
	if err != nil {
		return v, 0, err
	}
	return v, 1 + n, nil
}

func fixed(b []byte, size int) ([]byte, int, error) {
	if len(b) < size {
		return nil, 0, ErrShort
	}
	return b[:size:size], size, nil
}

// AppendValue appends v to dst and returns the extended slice. The bytes of an
// address must be of the length that its type has.
func AppendValue(dst []byte, v Value) []byte {
	head := byte(v.Type)
	if v.Type == TypeBool && v.Bool {
		head |= boolTrue
	}
	dst = append(dst, head)
	switch {
	case v.Type.isInt():
		dst = AppendUvarint(dst, v.Int)
	case v.Type == TypeString, v.Type == TypeBinary:
		dst = AppendString(dst, v.Bytes)
	case v.Type == TypeIPv4, v.Type == TypeIPv6:
		dst = append(dst, v.Bytes...)
	}
	return dst
}
