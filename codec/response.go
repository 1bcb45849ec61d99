package codec

import (
	"math"
	"net/netip"
)

// The arguments of a message that HAProxy sends when the response of production
// has come (event on-http-response). All are optional, in any message.
const (
	ArgStatus = "arg_status" // status
	ArgTime   = "arg_time"   // date(0,ms),sub(...): from request to response
	ArgID     = "arg_id"     // unique-id
	ArgSource = "arg_src"    // src
)

// ProductionResponse is what production responded to a request. The zero value means that
// HAProxy did not say so.
type ProductionResponse struct {
	Status uint16 // 100 to 999; 0: unknown
	// Timed says that Milliseconds, from the request to the response, is known. It
	// is not if HAProxy's clock was stepped back meanwhile.
	Timed        bool
	Milliseconds uint32
	ID           []byte // of the request, as HAProxy logs it; borrowed
}

func (p *ProductionResponse) set(name []byte, v Value) {
	switch string(name) {
	case ArgStatus:
		p.Status = 0
		if v.Type.isInt() && v.Int >= 100 && v.Int <= 999 {
			p.Status = uint16(v.Int)
		}
	case ArgTime:
		p.Timed, p.Milliseconds = false, 0
		if v.Type.isInt() && v.Int <= math.MaxUint32 {
			p.Timed, p.Milliseconds = true, uint32(v.Int)
		}
	case ArgID:
		p.ID = v.Bytes
	}
}

// address reads an IP address, typed or as text; what is neither is not valid.
func address(v Value) netip.Addr {
	switch v.Type {
	case TypeIPv4, TypeIPv6:
		addr, _ := netip.AddrFromSlice(v.Bytes)
		return addr.Unmap()
	case TypeString:
		addr, _ := netip.ParseAddr(string(v.Bytes))
		return addr.Unmap().WithZone("")
	}
	return netip.Addr{}
}
