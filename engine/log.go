package engine

import (
	"net"

	"github.com/mirrorgate/mirrorgate/codec"
)

// note logs f, which peer did; nil if it was nobody in particular.
func (s *Server) note(peer net.Addr, f fault) {
	var attrs []any
	if peer != nil {
		attrs = append(attrs, "peer", peer.String())
	}
	if f.status != codec.StatusNormal {
		attrs = append(attrs, "code", uint32(f.status), "status", f.status.String())
	}
	if f.size > 0 {
		attrs = append(attrs, "frame_bytes", f.size)
	}
	s.cfg.Logger.Warn(f.what, attrs...)
}
