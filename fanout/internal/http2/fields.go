package http2

import "bytes"

// staticFields is how many fields the static table has (RFC 7541 appendix A).
const staticFields = 61

// The status codes that stand in the static table whole.
const (
	firstStatus = 8
	lastStatus  = 14
)

var staticStatus = [...]uint16{200, 204, 206, 304, 400, 404, 500}

// NoGRPCStatus is the grpc-status where there is none; BadGRPCStatus one that is
// no number below 1000.
const (
	NoGRPCStatus  = -1
	BadGRPCStatus = -2
)

// blockInfo is what is looked at of a header block.
type blockInfo struct {
	status uint16 // 0: none
	grpc   int16

	resizes bool // it says what size the dynamic table has: none, as we want it
	inserts bool // it puts fields into the dynamic table, which may have no room for them
	refers  bool // it refers to some that are in there
}

// readBlock reads a header block. A block that cannot be decoded is a *ConnError;
// ok is false if the response is malformed: a pseudo-header field that is not
// :status, or stands behind another field, or again (RFC 9113 section 8.3). What
// refers to the dynamic table is passed over.
func readBlock(b []byte) (info blockInfo, ok bool, err error) {
	info.grpc = NoGRPCStatus
	ok = true
	for first := true; len(b) > 0; {
		var f field
		n, err := f.read(b)
		if err != nil {
			return info, false, err
		}
		b = b[n:]
		info.inserts = info.inserts || f.insert
		switch {
		case f.resize:
			info.resizes = true
			continue
		case f.index > staticFields:
			info.refers = true
			continue
		}
		switch {
		case f.isStatus():
			if info.status = f.status(); info.status == 0 || !first {
				ok = false
			}
		case f.isPseudo():
			ok = false
		case f.isGRPCStatus():
			info.grpc = f.grpcStatus()
		}
		first = false
	}
	return info, ok, nil
}

// field is one representation of a header block (RFC 7541 section 6). Its slices
// are borrowed.
type field struct {
	index       int  // of the name in the static table; 0: it is literal
	whole       bool // the static table has the value, too
	resize      bool // no field: the size of the dynamic table
	insert      bool // into the dynamic table
	name, value text
}

// text is a string literal.
type text struct {
	b       []byte
	huffman bool
}

func (f *field) read(b []byte) (n int, err error) {
	bits := 4
	switch c := b[0]; {
	case c&0x80 != 0:
		bits, f.whole = 7, true
	case c&0x40 != 0:
		bits, f.insert = 6, true
	case c&0x20 != 0:
		bits, f.resize = 5, true
	}
	f.index, n = readInt(b, bits)
	switch {
	case n == 0 || f.whole && f.index == 0:
		return 0, ErrCompression
	case f.resize && f.index > 0:
		return 0, ErrDynamicTable
	case f.whole || f.resize:
		return n, nil
	}
	if f.index == 0 {
		m := f.name.read(b[n:])
		if m == 0 {
			return 0, ErrCompression
		}
		n += m
	}
	m := f.value.read(b[n:])
	if m == 0 {
		return 0, ErrCompression
	}
	return n + m, nil
}

// read reads a string literal and returns how many bytes it takes; 0: it is not
// whole.
func (t *text) read(b []byte) int {
	if len(b) == 0 {
		return 0
	}
	t.huffman = b[0]&0x80 != 0
	length, n := readInt(b, 7)
	if n == 0 || length > len(b)-n {
		return 0
	}
	t.b = b[n : n+length]
	return n + length
}

// readInt reads an integer with a prefix of so many bits (RFC 7541 section 5.1)
// and returns how many bytes it takes; 0: it is not whole, or longer than any
// header block.
func readInt(b []byte, bits int) (value, n int) {
	most := 1<<bits - 1
	if value = int(b[0]) & most; value < most {
		return value, 1
	}
	for i := 1; i < len(b) && i <= 4; i++ {
		value += int(b[i]&0x7f) << (7 * (i - 1))
		if b[i]&0x80 == 0 {
			return value, i + 1
		}
	}
	return 0, 0
}

var statusName = []byte(":status")

func (f *field) isStatus() bool {
	return f.index >= firstStatus && f.index <= lastStatus || f.index == 0 && !f.name.huffman && bytes.Equal(f.name.b, statusName) ||
		f.index == 0 && f.name.huffman && string(f.name.b) == huffmanStatus
}

// huffmanStatus is ":status", Huffman-coded.
const huffmanStatus = "\xb8\x84\x8d\x36\xa3"

// isPseudo reports whether the name begins with a colon, Huffman-coded 1011100.
func (f *field) isPseudo() bool {
	if f.index > 0 {
		return f.index < firstStatus
	}
	if len(f.name.b) == 0 {
		return false
	}
	if f.name.huffman {
		return f.name.b[0]>>1 == 0x5c
	}
	return f.name.b[0] == ':'
}

// status returns the status code, 0 if it is none.
func (f *field) status() uint16 {
	if f.whole {
		return staticStatus[f.index-firstStatus]
	}
	n, ok := f.value.digits(3)
	if !ok || n < 100 {
		return 0
	}
	return uint16(n)
}

var grpcStatusName = []byte("grpc-status")

func (f *field) isGRPCStatus() bool {
	switch {
	case f.index > 0:
		return false
	case f.name.huffman:
		return string(f.name.b) == huffmanGRPCStatus
	}
	return bytes.Equal(f.name.b, grpcStatusName)
}

func (f *field) grpcStatus() int16 {
	n, ok := f.value.digits(3)
	if !ok {
		return BadGRPCStatus
	}
	return int16(n)
}

// digits reads a number of up to so many decimal digits.
func (t *text) digits(most int) (n int, ok bool) {
	if t.huffman {
		return huffmanDigits(t.b, most)
	}
	if len(t.b) == 0 || len(t.b) > most {
		return 0, false
	}
	for _, c := range t.b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int(c-'0')
	}
	return n, true
}
