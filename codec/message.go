package codec

// ParseMessage decodes the head of the message that b starts with: its name and
// the number of its arguments, which follow as that many ParseArg. n is the
// number of bytes read. The errors are ErrShort and ErrOverflow.
func ParseMessage(b []byte) (name []byte, args int, n int, err error) {
	name, n, err = String(b)
	if err != nil {
		return nil, 0, 0, err
	}
	if n == len(b) {
		return nil, 0, 0, ErrShort
	}
	return name, int(b[n]), n + 1, nil
}

// ParseArg decodes the name and the typed value that b starts with: an argument
// of a message, or an item of the lists in HELLO and DISCONNECT frames. n is
// the number of bytes read. The errors are those of ParseValue.
func ParseArg(b []byte) (name []byte, v Value, n int, err error) {
	name, n, err = String(b)
	if err != nil {
		return nil, v, 0, err
	}
	v, m, err := ParseValue(b[n:])
	if err != nil {
		return nil, v, 0, err
	}
	return name, v, n + m, nil
}
