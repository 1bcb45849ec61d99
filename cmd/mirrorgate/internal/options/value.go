package options

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/mirrorgate/mirrorgate/codec"
	"github.com/mirrorgate/mirrorgate/fanout"
)

// The types of options that are more than a text, a number or a duration.

// Targets are the texts of --target; a URL has no white space, so that this is
// what separates them in the environment.
type Targets []string

// Decode adds to what other occurrences of the option gave.
func (t *Targets) Decode(ctx *kong.DecodeContext) error {
	var text string
	if err := ctx.Scan.PopValueInto("target", &text); err != nil {
		return err
	}
	*t = append(*t, strings.Fields(text)...)
	return nil
}

// Headers are the texts of --set-header: a field each, or one a line in the
// environment.
type Headers []fanout.Header

var errHeader = errors.New("a header should be NAME:VALUE")

// Decode adds to what other occurrences of the option gave.
func (h *Headers) Decode(ctx *kong.DecodeContext) error {
	var text string
	if err := ctx.Scan.PopValueInto("header", &text); err != nil {
		return err
	}
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimRight(line, "\r\n"), ":")
		if !ok {
			return errHeader // without the text, which may be a secret
		}
		*h = append(*h, fanout.Header{Name: strings.TrimSpace(name), Value: strings.TrimSpace(value)})
	}
	return nil
}

// Duration is a time above 0.
type Duration time.Duration

// UnmarshalText reads a time above 0.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil || v <= 0 {
		return fmt.Errorf("%q should be a time above 0, like 500ms or 5s", text)
	}
	*d = Duration(v)
	return nil
}

// String writes it as UnmarshalText reads it.
func (d Duration) String() string { return time.Duration(d).String() }

// Network is a network, or an address alone.
type Network struct{ netip.Prefix }

// UnmarshalText reads 10.0.0.0/8, or an address alone.
func (n *Network) UnmarshalText(text []byte) (err error) {
	if n.Prefix, err = netip.ParsePrefix(string(text)); err == nil {
		return nil
	}
	addr, err := netip.ParseAddr(string(text))
	if err != nil {
		return fmt.Errorf("%q should be an address or a network like 10.0.0.0/8", text)
	}
	n.Prefix = netip.PrefixFrom(addr, addr.BitLen())
	return nil
}

// Address is an IP address.
type Address struct{ netip.Addr }

// UnmarshalText reads an IP address.
func (a *Address) UnmarshalText(text []byte) (err error) {
	if a.Addr, err = netip.ParseAddr(string(text)); err != nil {
		return fmt.Errorf("%q should be an IP address of this machine", text)
	}
	return nil
}

// Share is a part of the requests, 0 to 1.
type Share float64

// UnmarshalText reads 25% or 0.25.
func (s *Share) UnmarshalText(text []byte) error {
	v, err := fanout.ParseShare(string(text))
	*s = Share(v)
	return err
}

// Rate is a number of requests a second; 0: no limit.
type Rate float64

// UnmarshalText reads 200/s, or none.
func (r *Rate) UnmarshalText(text []byte) error {
	v, err := fanout.ParseRate(string(text))
	*r = Rate(v)
	return err
}

// Methods are methods of HTTP; none: all.
type Methods []string

// UnmarshalText reads GET+HEAD.
func (m *Methods) UnmarshalText(text []byte) error {
	*m = fanout.ParseMethods(string(text))
	return nil
}

// DropPolicy says which request goes when a queue is full.
type DropPolicy struct{ fanout.Drop }

// UnmarshalText reads newest, oldest or uniform.
func (d *DropPolicy) UnmarshalText(text []byte) (err error) {
	d.Drop, err = fanout.ParseDrop(string(text))
	return err
}

// Forwarded says what becomes of X-Forwarded-For.
type Forwarded struct{ fanout.Forwarded }

// UnmarshalText reads keep, append or set.
func (f *Forwarded) UnmarshalText(text []byte) (err error) {
	f.Forwarded, err = fanout.ParseForwarded(string(text))
	return err
}

// SampleKey says by what requests are sampled.
type SampleKey struct{ fanout.SampleKey }

// UnmarshalText reads random, path, header:NAME or cookie:NAME.
func (k *SampleKey) UnmarshalText(text []byte) (err error) {
	k.SampleKey, err = fanout.ParseSampleKey(string(text))
	return err
}

// ByteSize is a number of bytes above 0.
type ByteSize int64

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

var byteUnits = []struct {
	suffix string
	bytes  float64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
	{"kB", 1e3}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12},
	{"k", 1 << 10}, {"m", 1 << 20}, {"g", 1 << 30}, // as HAProxy writes them
	{"B", 1}, {"", 1},
}

var errByteSize = errors.New("should be a number of bytes like 64MB, 512MiB or 1.5GiB")

// UnmarshalText reads a size above 0 with its unit; without one it is bytes.
func (s *ByteSize) UnmarshalText(text []byte) error {
	for _, unit := range byteUnits {
		number, ok := strings.CutSuffix(string(text), unit.suffix)
		if !ok {
			continue
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err != nil || !(v*unit.bytes >= 1 && v*unit.bytes < 1<<62) {
			break
		}
		*s = ByteSize(v * unit.bytes)
		return nil
	}
	return fmt.Errorf("%q %w", text, errByteSize)
}

// String writes it in the largest unit that makes a whole number.
func (s ByteSize) String() string {
	for _, unit := range slices.Backward(byteUnits[:4]) {
		if n := int64(unit.bytes); int64(s)%n == 0 {
			return fmt.Sprint(int64(s)/n) + unit.suffix
		}
	}
	return fmt.Sprint(int64(s))
}
