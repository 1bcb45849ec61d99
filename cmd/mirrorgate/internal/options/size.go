package options

import (
	"fmt"
	"strings"

	"github.com/mirrorgate/mirrorgate/codec"
	"github.com/mirrorgate/mirrorgate/fanout"
)

// ByteSize is a number of bytes above 0.
type ByteSize int64

// UnmarshalText reads a size above 0. All units are powers of 1024; without one it
// is bytes.
func (s *ByteSize) UnmarshalText(text []byte) error {
	v, err := fanout.ParseSize(string(text))
	*s = ByteSize(v)
	return err
}

// String writes it in the largest unit that makes a whole number.
func (s ByteSize) String() string { return fanout.FormatSize(int64(s)) }

// Memory is a ByteSize in which requests can be held.
type Memory ByteSize

const minMemory = 1 << 20

// UnmarshalText reads a size as ByteSize does, and knows who forgot the unit.
func (m *Memory) UnmarshalText(text []byte) error {
	var size ByteSize
	if err := size.UnmarshalText(text); err != nil {
		return err
	}
	if size < minMemory {
		hint := ""
		if number := strings.TrimRight(string(text), " "); strings.Trim(number, "0123456789") == "" {
			hint = fmt.Sprintf(": did you mean %sMiB?", number)
		}
		return fmt.Errorf("%q is %d bytes, should be at least 1MiB%s", text, size, hint)
	}
	*m = Memory(size)
	return nil
}

// String writes it as ByteSize does.
func (m Memory) String() string { return ByteSize(m).String() }

// FrameSize is a ByteSize that SPOP and this machine allow for frames.
type FrameSize ByteSize

const maxFrameSize = 64 << 20

// UnmarshalText reads a size as ByteSize does.
func (s *FrameSize) UnmarshalText(text []byte) error {
	var size ByteSize
	if err := size.UnmarshalText(text); err != nil || size < codec.MinMaxFrameSize || size > maxFrameSize {
		return fmt.Errorf("%q should be a number of bytes from %d to 64MiB", text, codec.MinMaxFrameSize)
	}
	*s = FrameSize(size)
	return nil
}
