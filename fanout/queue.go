package fanout

// entry is a request that waits at one target, and owns one reference to its
// payload. What has to be known of it under the target's lock stands in it, so
// that the payload is not touched there.
type entry struct {
	*payload
	at    int64 // when it arrived, see common.now
	size  int32 // bytes to write
	flags entryFlags
	side  uint8 // in its pair, if flagCompared

	refused uint8 // how often an HTTP/2 target refused it
}

func (e *entry) head() bool       { return e.flags&flagHead != 0 }
func (e *entry) idempotent() bool { return e.flags&flagIdempotent != 0 }
func (e *entry) grpc() bool       { return e.flags&flagGRPC != 0 }
func (e *entry) retried() bool    { return e.flags&flagRetried != 0 }

// alone reports whether the request has a connection to itself (RFC 9112 section
// 9.3.2). One that is sent for the second time has, so that it is not lost to a
// neighbour's end of the connection.
func (e *entry) alone() bool { return e.flags&(flagAlone|flagRetried) != 0 }

// queue is a list of entries, oldest first, in blocks: it grows and shrinks
// without moving any. It knows no limit of its own, and is not safe for concurrent
// use.
type queue struct {
	head, tail *block
	n          int
	free       *block // up to keptBlocks
	kept       int
}

const (
	blockSize  = 64 // entries
	keptBlocks = 16
)

type block struct {
	entries    [blockSize]entry
	begin, end int // of those in use
	next       *block
}

func (q *queue) front() *entry { return &q.head.entries[q.head.begin] }

func (q *queue) pushBack(e entry) {
	if q.tail == nil || q.tail.end == blockSize {
		b := q.newBlock(0)
		if q.tail == nil {
			q.head = b
		} else {
			q.tail.next = b
		}
		q.tail = b
	}
	q.tail.entries[q.tail.end] = e
	q.tail.end++
	q.n++
}

func (q *queue) pushFront(e entry) {
	if q.head == nil || q.head.begin == 0 {
		b := q.newBlock(blockSize)
		b.next = q.head
		q.head = b
		if q.tail == nil {
			q.tail = b
		}
	}
	q.head.begin--
	q.head.entries[q.head.begin] = e
	q.n++
}

// popFront removes the oldest entry; the queue must not be empty.
func (q *queue) popFront() entry {
	b := q.head
	e := b.entries[b.begin]
	b.entries[b.begin] = entry{}
	b.begin++
	q.n--
	if b.begin == b.end {
		q.leave(b)
	}
	return e
}

// leave takes the first block, which is empty, out of the list. The last one
// stays: a short queue keeps to the same few cache lines.
func (q *queue) leave(b *block) {
	if b.next == nil {
		b.begin, b.end = 0, 0
		return
	}
	q.head, b.next = b.next, nil
	if q.kept < keptBlocks {
		b.next = q.free
		q.free = b
		q.kept++
	}
}

// newBlock returns an empty block whose first entry will stand at that place.
func (q *queue) newBlock(at int) *block {
	b := q.free
	if b == nil {
		b = new(block)
	} else {
		q.free, b.next = b.next, nil
		q.kept--
	}
	b.begin, b.end = at, at
	return b
}
