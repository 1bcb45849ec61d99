package fanout

import (
	"encoding/hex"
	"net/netip"

	"github.com/mirrorgate/mirrorgate/fanout/internal/wire"
	"github.com/mirrorgate/mirrorgate/fanout/record"
)

// originKind says what stands behind the id of a payload: what only recordings want to
// know of a request.
type originKind uint8

const (
	originKey originKind = 1 << iota // 8 bytes: the hash of what it was sampled by
	originIP4                        // 4 bytes: the client
	originIP6                        // 16 bytes: likewise

	maxOrigin = 8 + 16 // bytes
)

// keepOrigin keeps where a request comes from. The payload has room for it.
func (p *payload) keepOrigin(luck *draw, client netip.Addr) {
	behind := p.id()
	size := len(behind)
	if luck.keyed {
		p.origin |= originKey
		for shift := 56; shift >= 0; shift -= 8 {
			behind = append(behind, byte(luck.hash>>shift))
		}
	}
	switch {
	case client.Is4():
		p.origin |= originIP4
		ip := client.As4()
		behind = append(behind, ip[:]...)
	case client.IsValid():
		p.origin |= originIP6
		ip := client.As16()
		behind = append(behind, ip[:]...)
	}
	if len(behind)-size > maxOrigin || cap(p.buf)-len(p.buf) < len(behind) {
		panic("BUG: no room for the origin of a request")
	}
}

// describe sets what is known of the request besides its bytes. All of it is borrowed
// from p, and the key from scratch, which has room for it.
func (p *payload) describe(r *record.Record, scratch []byte) {
	r.ID, r.Key, r.Client = p.id(), nil, netip.Addr{}
	r.Status, r.Took = int(p.status), int(p.took)
	behind := p.buf[len(p.buf)+int(p.idLen) : cap(p.buf)]
	if p.origin&originKey != 0 {
		r.Key = hex.AppendEncode(scratch[:0], behind[:8])
		behind = behind[8:]
	}
	switch {
	case p.origin&originIP4 != 0:
		r.Client = netip.AddrFrom4([4]byte(behind))
	case p.origin&originIP6 != 0:
		r.Client = netip.AddrFrom16([16]byte(behind))
	}
}

// wireForRecord sets the bytes of the request: those that a server would get, but for
// the field that marks them as mirrored, which is what a replay adds. They are borrowed
// from p, or from scratch, which is returned. A mask, unless it is nil, changes the key,
// too.
func (t *target) wireForRecord(r *record.Record, p *payload, mask *record.Mask, scratch []byte) []byte {
	request := p.buf
	if t.newHost != nil && t.cfg.Host != HostTarget { // a recording has no host
		scratch = append(scratch[:0], p.buf[:p.hostStart]...)
		scratch = append(scratch, t.newHost...)
		scratch = append(scratch, p.buf[p.hostEnd:]...)
		request = scratch
	}
	r.Wire, r.Tail = wire.CutMarker(request)
	if mask != nil {
		if &request[0] == &p.buf[0] {
			scratch = append(append(scratch[:0], r.Wire...), r.Tail...)
		} else {
			scratch = append(r.Wire, r.Tail...) // moves the end over the marker
		}
		r.Wire, r.Tail = scratch, nil
		mask.Apply(r.Wire)
		if r.Key != nil {
			r.Key = mask.Key(r.Key[:0], r.Key)
		}
	}
	return scratch
}

// recordingMask returns what masks the target's requests; nil: nothing does.
func (t *target) recordingMask() *record.Mask {
	key := t.options.MaskKey
	if key == [32]byte{} {
		key = t.maskKey
	}
	m, err := t.cfg.Recording.newMask(key)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return m
}
