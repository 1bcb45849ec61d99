package fanout

// entry is a request that waits at one target, and owns one reference to its
// payload.
type entry struct {
	*payload
	at      int64 // when it arrived, see Fanout.now
	retried bool  // was sent once, without an answer
}

// queue is a ring of entries. It grows to what is needed and knows no limit of
// its own. It is not safe for concurrent use.
type queue struct {
	ring []entry // a power of two
	head int
	n    int
}

const minRing = 64

func (q *queue) at(i int) *entry { return &q.ring[(q.head+i)&(len(q.ring)-1)] }

func (q *queue) grow() {
	if q.n < len(q.ring) {
		return
	}
	ring := make([]entry, max(minRing, 2*len(q.ring)))
	for i := range q.n {
		ring[i] = *q.at(i)
	}
	q.ring, q.head = ring, 0
}

func (q *queue) pushBack(e entry) {
	q.grow()
	*q.at(q.n) = e
	q.n++
}

func (q *queue) pushFront(e entry) {
	q.grow()
	q.head = (q.head - 1) & (len(q.ring) - 1)
	q.n++
	*q.at(0) = e
}

// popFront removes the oldest entry; the queue must not be empty.
func (q *queue) popFront() entry {
	e := *q.at(0)
	*q.at(0) = entry{}
	q.head = (q.head + 1) & (len(q.ring) - 1)
	q.n--
	if q.n == 0 {
		q.head = 0 // stay on the same few cache lines while the queue is short
	}
	return e
}
