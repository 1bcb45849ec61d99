package fanout

import "sync/atomic"

// The bytes that a connection costs as long as it is open, whatever it does: the
// kernel's part is not in it. One that waits for a response takes 8 KiB, and 24 KiB
// over TLS (TestConnectionBytes), which keeps a buffer as large as the largest
// record that it has read, 16 KiB and more; rounded up.
const (
	plainConnection = 12 << 10
	tlsConnection   = 64 << 10
)

// memory is what is held for all targets together, in bytes.
type memory struct {
	limit       atomic.Int64
	payloads    atomic.Int64
	connections atomic.Int64 // without the first of each target, which needs no room
	blocks      atomic.Int64 // that recordings have yet to write
}

// fits reports whether there is room for n more bytes.
func (m *memory) fits(n int64) bool {
	return m.payloads.Load()+m.connections.Load()+m.blocks.Load()+n <= m.limit.Load()
}
