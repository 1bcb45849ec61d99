package main

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

// targets are the texts of --target; a URL has no white space, so that this is
// what separates them in the environment.
type targets []string

// Decode adds to what other occurrences of the option gave.
func (t *targets) Decode(ctx *kong.DecodeContext) error {
	var text string
	if err := ctx.Scan.PopValueInto("target", &text); err != nil {
		return err
	}
	*t = append(*t, strings.Fields(text)...)
	return nil
}

type headers []fanout.Header

var errHeader = errors.New("a header should be NAME:VALUE")

// Decode adds to what other occurrences of the option gave.
func (h *headers) Decode(ctx *kong.DecodeContext) error {
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

type duration time.Duration

// UnmarshalText reads a time above 0.
func (d *duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil || v <= 0 {
		return fmt.Errorf("%q should be a time above 0, like 500ms or 5s", text)
	}
	*d = duration(v)
	return nil
}

// String writes it as UnmarshalText reads it.
func (d duration) String() string { return time.Duration(d).String() }

type network struct{ netip.Prefix }

// UnmarshalText reads 10.0.0.0/8, or an address alone.
func (n *network) UnmarshalText(text []byte) (err error) {
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

type address struct{ netip.Addr }

// UnmarshalText reads an IP address.
func (a *address) UnmarshalText(text []byte) (err error) {
	if a.Addr, err = netip.ParseAddr(string(text)); err != nil {
		return fmt.Errorf("%q should be an IP address of this machine", text)
	}
	return nil
}

type share float64

// UnmarshalText reads 25% or 0.25.
func (s *share) UnmarshalText(text []byte) error {
	v, err := fanout.ParseShare(string(text))
	*s = share(v)
	return err
}

type rate float64

// UnmarshalText reads 200/s, or none.
func (r *rate) UnmarshalText(text []byte) error {
	v, err := fanout.ParseRate(string(text))
	*r = rate(v)
	return err
}

type methods []string

// UnmarshalText reads GET+HEAD.
func (m *methods) UnmarshalText(text []byte) error {
	*m = fanout.ParseMethods(string(text))
	return nil
}

type dropPolicy struct{ fanout.Drop }

// UnmarshalText reads newest, oldest or uniform.
func (d *dropPolicy) UnmarshalText(text []byte) (err error) {
	d.Drop, err = fanout.ParseDrop(string(text))
	return err
}

type forwarded struct{ fanout.Forwarded }

// UnmarshalText reads keep, append or set.
func (f *forwarded) UnmarshalText(text []byte) (err error) {
	f.Forwarded, err = fanout.ParseForwarded(string(text))
	return err
}

type sampleKey struct{ fanout.SampleKey }

// UnmarshalText reads random, path, header:NAME or cookie:NAME.
func (k *sampleKey) UnmarshalText(text []byte) (err error) {
	k.SampleKey, err = fanout.ParseSampleKey(string(text))
	return err
}

type byteSize int64

// frameSize is a byteSize that SPOP and this machine allow for frames.
type frameSize byteSize

const maxFrameSize = 64 << 20

// UnmarshalText reads a size as byteSize does.
func (s *frameSize) UnmarshalText(text []byte) error {
	var size byteSize
	if err := size.UnmarshalText(text); err != nil || size < codec.MinMaxFrameSize || size > maxFrameSize {
		return fmt.Errorf("%q should be a number of bytes from %d to 64MiB", text, codec.MinMaxFrameSize)
	}
	*s = frameSize(size)
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
func (s *byteSize) UnmarshalText(text []byte) error {
	for _, unit := range byteUnits {
		number, ok := strings.CutSuffix(string(text), unit.suffix)
		if !ok {
			continue
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err != nil || !(v*unit.bytes >= 1 && v*unit.bytes < 1<<62) {
			break
		}
		*s = byteSize(v * unit.bytes)
		return nil
	}
	return fmt.Errorf("%q %w", text, errByteSize)
}

// String writes it in the largest unit that makes a whole number.
func (s byteSize) String() string {
	for _, unit := range slices.Backward(byteUnits[:4]) {
		if n := int64(unit.bytes); int64(s)%n == 0 {
			return fmt.Sprint(int64(s)/n) + unit.suffix
		}
	}
	return fmt.Sprint(int64(s))
}
