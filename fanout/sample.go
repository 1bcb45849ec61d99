package fanout

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/cespare/xxhash/v2"

	"github.com/mirrorgate/mirrorgate/fanout/internal/wire"
)

type keyKind uint8

const (
	keyRandom keyKind = iota
	keyHeader
	keyCookie
	keyPath
)

// SampleKey says by what requests are sampled. The zero value samples at
// random. With a key, a request is in or out by the hash of the key's value:
// the same on every agent, and who is in at 5% is in at 10%.
type SampleKey struct {
	kind keyKind
	name string // of the header, in lower case, or of the cookie
}

// ParseSampleKey reads "random", "path", "header:NAME" or "cookie:NAME".
func ParseSampleKey(text string) (SampleKey, error) {
	kind, name, named := strings.Cut(text, ":")
	switch {
	case kind == "random" && !named:
		return SampleKey{}, nil
	case kind == "path" && !named:
		return SampleKey{kind: keyPath}, nil
	case kind == "header" && wire.ValidName([]byte(name)):
		return SampleKey{kind: keyHeader, name: strings.ToLower(name)}, nil
	case kind == "cookie" && wire.ValidName([]byte(name)):
		return SampleKey{kind: keyCookie, name: name}, nil
	}
	return SampleKey{}, fmt.Errorf("%q should be random, path, header:NAME or cookie:NAME", text)
}

// String returns the key as ParseSampleKey reads it.
func (k SampleKey) String() string {
	switch k.kind {
	case keyHeader:
		return "header:" + k.name
	case keyCookie:
		return "cookie:" + k.name
	case keyPath:
		return "path"
	}
	return "random"
}

// hash returns the hash of the key's first value in the request, and whether
// the request has the key at all. It reads the fields as HAProxy sent them, for
// those that are deleted count too.
func (k *SampleKey) hash(p *wire.Prepared) (h uint64, ok bool) {
	switch k.kind {
	case keyRandom:
		return 0, false
	case keyPath:
		path, _, _ := bytes.Cut(p.Path, []byte("?"))
		return xxhash.Sum64(path), true
	}
	header := k.name
	if k.kind == keyCookie {
		header = "cookie"
	}
	for it := p.Request.Headers.Iter(); it.Next(); {
		if !wire.EqualFold(it.Name, header) {
			continue
		}
		if k.kind == keyHeader {
			return xxhash.Sum64(it.Value), true
		}
		if v, ok := cookie(it.Value, k.name); ok {
			return xxhash.Sum64(v), true
		}
	}
	return 0, false
}

// cookie finds the first cookie of that name (RFC 6265 section 4.2.1).
func cookie(header []byte, name string) ([]byte, bool) {
	for len(header) > 0 {
		var pair []byte
		pair, header, _ = bytes.Cut(header, []byte(";"))
		key, value, ok := bytes.Cut(bytes.TrimLeft(pair, " \t"), []byte("="))
		if ok && string(key) == name {
			return value, true
		}
	}
	return nil, false
}

// draw is one request's luck: a number to sample by and one to pick by.
// Random draws are anew for each group, keyed ones are the key's hash.
type draw struct {
	hash  uint64
	keyed bool

	linked uint64 // the draw of all targets that are compared with each other
	drawn  bool
}

// sample draws for a group. Those of targets that are compared with each other have
// one draw, so that what is in a smaller sample is in a larger one, too.
func (d *draw) sample(linked bool) uint64 {
	switch {
	case d.keyed:
		return d.hash
	case !linked:
		return rand.Uint64()
	case !d.drawn:
		d.linked, d.drawn = rand.Uint64(), true
	}
	return d.linked
}

func (d *draw) pick(seed uint64) uint64 {
	if d.keyed {
		return mix(d.hash ^ seed)
	}
	return rand.Uint64()
}

// mix is the finaliser of splitmix64: a bijection whose result is independent
// of whether its argument is small, so weights stay true inside a small sample.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
