package options

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/mirrorgate/mirrorgate/codec"
)

// ByteSize is a number of bytes above 0.
type ByteSize int64

// sizePattern is a number and its unit, as people write it: 64k, 64K, 64KB and
// 64KiB are the same.
var sizePattern = regexp.MustCompile(`^(\d+(?:\.\d+)?|\.\d+) ?(?i:([KMGT])(?:i?B)?|B)?$`)

const units = "KMGT" // each is 1024 of the one before

// UnmarshalText reads a size above 0. All units are powers of 1024; without one it
// is bytes.
func (s *ByteSize) UnmarshalText(text []byte) error {
	parts := sizePattern.FindStringSubmatch(string(text))
	if parts == nil {
		return errByteSize(text)
	}
	v, err := strconv.ParseFloat(parts[1], 64)
	if parts[2] != "" {
		v *= math.Pow(1024, float64(1+strings.Index(units, strings.ToUpper(parts[2]))))
	}
	if err != nil || v < 1 || v >= 1<<62 {
		return errByteSize(text)
	}
	*s = ByteSize(v)
	return nil
}

func errByteSize(text []byte) error {
	return fmt.Errorf("%q should be a size like 64K, 512MiB or 1.5G", text)
}

// String writes it in the largest unit that makes a whole number.
func (s ByteSize) String() string {
	for i, unit := range slices.Backward([]byte(units)) {
		if n := int64(1) << (10 * (i + 1)); int64(s)%n == 0 {
			return fmt.Sprintf("%d%ciB", int64(s)/n, unit)
		}
	}
	return strconv.FormatInt(int64(s), 10)
}

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
