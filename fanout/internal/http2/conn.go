package http2

import (
	"bytes"
	"unsafe"
)

const (
	// StreamWindow is how many bytes of a body a response may have that nobody keeps,
	// and is the window that a stream has for it (RFC 9113 section 5.2).
	StreamWindow = 1 << 20

	// connWindow is the window of the connection. What comes is passed over at once,
	// so it need not hold anything up.
	connWindow = 1 << 30

	// MaxBlock is how many bytes the header block of a response may have.
	MaxBlock = 64 << 10

	// MaxRest bounds, in bytes, what Read may leave of a frame that is not complete.
	MaxRest = frameHeader + minMaxFrame
)

// Conn is the state of one connection. It belongs to whoever has the connection.
// Make one with [NewConn].
type Conn struct {
	out []byte // frames that answer the peer's, to be written

	streams  []stream // by slot, a power of two of them
	nextID   uint32   // the lowest that the next stream may have
	open     int      // streams
	batch    int      // how many may be open
	allowed  int      // how many the peer allows (SETTINGS_MAX_CONCURRENT_STREAMS)
	sending  int      // streams with a body that is not wholly written
	released bool     // there may be windows for them

	window        int64 // bytes of DATA that the connection lets us send
	initialWindow int64 // that each stream begins with
	maxFrame      int   // bytes of payload
	receive       int64 // bytes of DATA that the peer may still send

	settled bool // the peer's SETTINGS came
	goaway  bool
	last    uint32 // of our streams that the peer may have processed
	code    ErrCode
	debug   []byte // of GOAWAY
	swept   int    // up to which slot the streams above last were given back

	data  dataFrame // that is being read
	block openBlock // likewise
	idle  int       // frames since the last one that served a request

	heads, trailers memo
	table           dynamicTable
}

// stream is a request whose response is not complete.
type stream struct {
	id     uint32 // 0: the slot is free
	status uint16 // 0: has not come
	whole  bool   // the body is read to its end, however long
	data   bool   // it is told of, too
	window int64  // bytes of DATA that we may send
	left   int64  // bytes of DATA that the peer may send
	body   []byte // what is left to be sent of it
}

// dataFrame is what has yet to come of a DATA frame.
type dataFrame struct {
	left    int // bytes of payload, padding included
	padding int // bytes
	slot    int // -1: of a stream that is over
	end     bool
}

// openBlock is a header block that CONTINUATION goes on with.
type openBlock struct {
	stream uint32 // 0: there is none
	end    bool   // END_STREAM
	b      []byte
}

// memo keeps the block that came last: a target often sends the same one again
// until its clock moves on.
type memo struct {
	block []byte
	info  blockInfo
}

// maxMemo is how many bytes a block may have to be kept.
const maxMemo = 1 << 10

func (m *memo) read(block []byte) (info blockInfo, ok bool, err error) {
	if len(block) > 0 && bytes.Equal(block, m.block) {
		return m.info, true, nil
	}
	info, ok, err = readBlock(block)
	if ok && len(block) <= maxMemo {
		m.block, m.info = append(m.block[:0], block...), info
	}
	return info, ok, err
}

// Slots returns how many slots a connection for so many streams at a time has, and
// Size how many bytes they take.
func Slots(batch int) int {
	slots := 2
	for slots < 2*batch {
		slots *= 2
	}
	return slots
}

// Size is explained with Slots.
func Size(batch int) int { return Slots(batch)*int(unsafe.Sizeof(stream{})) + 2*maxMemo }

// NewConn returns the state of a new connection for up to so many streams at a
// time.
func NewConn(batch int) *Conn {
	return &Conn{
		streams: make([]stream, Slots(batch)), batch: batch,
		// One stream until the peer's SETTINGS say how many it takes, and that it speaks
		// HTTP/2 at all.
		nextID: 1, allowed: 1,
		window: defaultWindow, initialWindow: defaultWindow, maxFrame: minMaxFrame,
		receive: connWindow, last: maxStreamID, data: dataFrame{slot: -1},
	}
}

// AppendPreface appends what a connection begins with, and returns the extended
// slice.
func (c *Conn) AppendPreface(dst []byte) []byte {
	dst = append(dst, Preface...)
	dst = appendHeader(dst, 4*6, frameSettings, 0, 0)
	dst = appendSetting(dst, settingTableSize, 0)
	dst = appendSetting(dst, settingEnablePush, 0)
	dst = appendSetting(dst, settingInitialWindow, StreamWindow)
	dst = appendSetting(dst, settingMaxHeaderList, MaxBlock)
	return appendWindowUpdate(dst, 0, connWindow-defaultWindow)
}

// Slots returns how many slots there are: those of streams are below.
func (c *Conn) Slots() int { return len(c.streams) }

// Open returns how many streams are not over.
func (c *Conn) Open() int { return c.open }

// Settled reports whether the peer has shown that it speaks HTTP/2.
func (c *Conn) Settled() bool { return c.settled }

// Room returns how many streams may be opened now.
func (c *Conn) Room() int {
	if c.Ending() {
		return 0
	}
	return max(0, min(c.batch, c.allowed)-c.open)
}

// Ending reports whether no stream can be opened any more: behind GOAWAY, or when
// the ids of streams have run out (RFC 9113 section 5.1.1).
func (c *Conn) Ending() bool {
	return c.goaway || c.nextID > maxStreamID-2*uint32(len(c.streams))
}

// Goaway returns whether GOAWAY came, and what it said.
func (c *Conn) Goaway() (came bool, code ErrCode, debug []byte) { return c.goaway, c.code, c.debug }

// Sending reports whether the body of the request in a slot is not wholly written.
func (c *Conn) Sending(slot int) bool { return len(c.streams[slot].body) > 0 }

// Cancel ends the stream in a slot; the peer is told.
func (c *Conn) Cancel(slot int) { c.reset(slot, Cancel) }

func (c *Conn) reset(slot int, code ErrCode) {
	c.out = appendReset(c.out, c.streams[slot].id, code)
	c.free(slot)
}

// free makes a slot free.
func (c *Conn) free(slot int) {
	s := &c.streams[slot]
	if len(s.body) > 0 {
		c.sending--
	}
	*s = stream{}
	c.open--
	if c.data.slot == slot {
		c.data.slot = -1
	}
}

func (c *Conn) slotOf(id uint32) int { return int(id>>1) & (len(c.streams) - 1) }

// find returns the slot of an open stream, -1 if it is over. An id that no stream
// had is an error.
func (c *Conn) find(id uint32) (slot int, err error) {
	if id&1 == 0 || id >= c.nextID {
		return -1, ErrStreamID
	}
	if slot = c.slotOf(id); c.streams[slot].id != id {
		return -1, nil
	}
	return slot, nil
}
