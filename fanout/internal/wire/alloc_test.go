package wire

import (
	"net/netip"
	"testing"
)

func TestPrepareAllocatesNothing(t *testing.T) {
	rules := NewRules(Options{ForwardedFor: ForwardedAppend})
	r := browserRequest()
	r.Source = netip.IPv6Loopback()
	var p Prepared
	rules.Prepare(&p, &r)
	if n := testing.AllocsPerRun(1000, func() { rules.Prepare(&p, &r) }); n != 0 {
		t.Errorf("%v allocations to prepare", n)
	}
	dst := make([]byte, 0, p.Size())
	if n := testing.AllocsPerRun(1000, func() { rules.Append(dst, &p) }); n != 0 {
		t.Errorf("%v allocations to append", n)
	}
}
