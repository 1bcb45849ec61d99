package options

import (
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

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

// Lines are texts that may have commas: one each, or one a line in the environment.
type Lines []string

// Decode adds to what other occurrences of the option gave.
func (l *Lines) Decode(ctx *kong.DecodeContext) error {
	var text string
	if err := ctx.Scan.PopValueInto("text", &text); err != nil {
		return err
	}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			*l = append(*l, line)
		}
	}
	return nil
}

// CPU is a share of one core; it may be more than one.
type CPU float64

const maxCPU = 64

// UnmarshalText reads 10%, 0.1 or 200%.
func (c *CPU) UnmarshalText(text []byte) error {
	digits, isPercent := strings.CutSuffix(string(text), "%")
	v, err := strconv.ParseFloat(digits, 64)
	if isPercent {
		v /= 100
	}
	if err != nil || !(v > 0 && v <= maxCPU) {
		return fmt.Errorf("%q should be a share of one core like 10%% or 200%%", text)
	}
	*c = CPU(v)
	return nil
}

// String writes it as UnmarshalText reads it.
func (c CPU) String() string { return fanout.FormatShare(float64(c)) }

// Duration is a time above 0, and of a day at most.
type Duration time.Duration

const maxDuration = 24 * time.Hour

// UnmarshalText reads a time above 0.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	switch {
	case err != nil || v <= 0:
		return fmt.Errorf("%q should be a time above 0, like 500ms or 5s", text)
	case v > maxDuration:
		return fmt.Errorf("%q should be a time of a day (24h) at most", text)
	}
	*d = Duration(v)
	return nil
}

// String writes it as UnmarshalText reads it.
func (d Duration) String() string { return time.Duration(d).String() }

// Loops is a number of event loops; 0: as many as there should be.
type Loops uint

// UnmarshalText reads a number that this machine has use for.
func (l *Loops) UnmarshalText(text []byte) error {
	most := 4 * runtime.NumCPU()
	v, err := strconv.Atoi(string(text))
	if err != nil || v < 1 || v > most {
		return fmt.Errorf("%q should be a whole number from 1 to %d, which is 4 for each CPU", text, most)
	}
	*l = Loops(v)
	return nil
}

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
type DropPolicy struct{ fanout.DropPolicy }

// UnmarshalText reads newest, oldest or uniform.
func (d *DropPolicy) UnmarshalText(text []byte) (err error) {
	d.DropPolicy, err = fanout.ParseDrop(string(text))
	return err
}

// Forwarded says what becomes of X-Forwarded-For.
type Forwarded struct{ fanout.Forwarded }

// UnmarshalText reads keep, append or set.
func (f *Forwarded) UnmarshalText(text []byte) (err error) {
	f.Forwarded, err = fanout.ParseForwarded(string(text))
	return err
}

// Trace says what becomes of the trace context.
type Trace struct{ fanout.Trace }

// UnmarshalText reads keep, new or drop.
func (t *Trace) UnmarshalText(text []byte) (err error) {
	t.Trace, err = fanout.ParseTrace(string(text))
	return err
}

// SampleKey says by what requests are sampled.
type SampleKey struct{ fanout.SampleKey }

// UnmarshalText reads random, path, header:NAME or cookie:NAME.
func (k *SampleKey) UnmarshalText(text []byte) (err error) {
	k.SampleKey, err = fanout.ParseSampleKey(string(text))
	return err
}
