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
	responses   atomic.Int64 // that are kept to be compared
	examples    atomic.Int64 // of pairs that differ
	waiting     atomic.Int64 // payloads of pairs that wait for an outcome; they are in payloads, too
}

// fits reports whether there is room for n more bytes.
func (m *memory) fits(n int64) bool {
	return m.payloads.Load()+m.connections.Load()+m.blocks.Load()+m.responses.Load()+m.examples.Load()+n <= m.limit.Load()
}

// fitsPair reports whether n more bytes may be held for pairs: these get a quarter
// of the memory at the most, so that a target that hangs leaves room for requests.
func (m *memory) fitsPair(n int64) bool {
	return m.responses.Load()+m.waiting.Load()+n <= m.limit.Load()/4
}
