package fanout

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/valyala/fasthttp"
)

const (
	// maxBatchBytes bounds what a lane writes before it reads: more than the
	// sockets hold could wait for a target that waits for us to read.
	maxBatchBytes = 64 << 10
	// referTo is the size in bytes from which on a piece of a request is written
	// from where it is instead of being copied next to its neighbours.
	referTo = 2 << 10
	// idleCheck is how long a connection may be idle before it is checked.
	idleCheck = int64(time.Second)
)

// lane is one goroutine with one connection and one batch in flight. It takes
// what waits at its target, sends it in one write, reads the answers in order,
// and counts them once.
type lane struct {
	t         *target
	wake      chan struct{}
	next      *lane   // in a wakeList
	woken     bool    // counted in t.waking
	retired   bool    // has to go when it has no work
	idleSince int64   // when it became idle last, 0 if it did not before this batch
	probe     bool    // its batch finds out whether the target answers again
	trouble   error   // what the batch met, if that counts as a failure of the target
	carried   []*lane // see carry.go
	forOthers int     // answers that were read for them, and are in t.inflight

	stream net.Conn
	socket *net.TCPConn
	proven bool          // an answer came on this connection
	addr   netip.Addr    // where the connection goes
	known  *[]netip.Addr // the addresses that addr was looked for in last
	reader *bufio.Reader
	answer fasthttp.Response
	body   io.LimitedReader

	batch    []entry
	underWay bool  // the batch was sent
	start    int64 // when
	written  int   // bytes of it
	writeErr error
	back     []entry // what goes back to the queue
	ends     []int   // where in the written bytes each request of the batch ends
	small    []byte  // the copied pieces
	pieces   net.Buffers
	writing  net.Buffers
	out      outcome

	clock           int64 // when the socket last gave something, or the batch was written
	deadline        int64 // of the answer that is waited for
	slack           int64 // how much later it may be
	readBy, writeBy int64 // the deadlines that the socket knows
	readErr         error // what the socket said last
}

func newLane(t *target) *lane {
	l := &lane{t: t, wake: make(chan struct{}, 1)}
	l.reader = bufio.NewReaderSize(laneReader{l}, readBuffer)
	l.answer.StreamBody = true
	return l
}

// run is the life of a lane: connect when there is work, and go on with the
// connection for as long as it is good.
func (l *lane) run() {
	<-l.wake
	for {
		for len(l.batch) > 0 || l.take() {
			l.useConnection()
		}
		if l.leave() {
			return
		}
	}
}

func (l *lane) useConnection() {
	// The second argument keeps fasthttp from starting its own cleaner, which
	// would outlive the pool: idle connections end with their lanes.
	cc, err := l.t.client.AcquireConn(l.t.cfg.Timeout, true)
	if err != nil {
		l.noConnection(err)
		return
	}
	l.stream, l.socket = unwrap(cc.Conn())
	l.reader.Reset(laneReader{l})
	l.addr, l.known = l.socket.RemoteAddr().(*net.TCPAddr).AddrPort().Addr().Unmap(), nil
	l.proven, l.readErr = false, nil
	l.readBy, l.writeBy = 0, 0
	for l.exchange() && !l.moved() && l.take() && l.usable() {
	}
	l.stream, l.socket = nil, nil
	l.t.client.CloseConn(cc)
}

// noConnection ends the batch that there is no connection for.
func (l *lane) noConnection(err error) {
	if l.t.aborting.Err() != nil {
		l.dropBatch(l.t.farewell)
		return
	}
	l.trouble = err
	l.dropBatch(dialDrop(err))
}

// leave makes room for another lane, unless there is work again. The
// connection must be closed by then, for lanes are what bounds connections.
func (l *lane) leave() bool {
	t := l.t
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.work(t.f.now()) > 0 {
		return false
	}
	t.lanes--
	return true
}

// take waits for requests and takes this lane's share of them. It reports
// whether there are any: false asks the lane to end.
func (l *lane) take() bool {
	t := l.t
	l.idleSince = 0
	t.mu.Lock()
	l.putBack()
	for {
		if l.woken {
			l.woken = false
			t.waking--
		}
		if len(l.batch) > 0 {
			break // another lane took it for this one
		}
		now := t.f.now()
		t.dropStale(now, &l.out)
		if wait := t.linger(now); wait > 0 {
			l.linger(wait)
			continue
		}
		if t.work(now) > 0 {
			l.retired = false
			l.takeShare(now)
			l.takeAlong(now)
			break
		}
		if l.retired || t.draining {
			t.mu.Unlock()
			t.settle(&l.out)
			return false
		}
		l.idleSince = now
		t.idle = append(t.idle, l)
		t.mu.Unlock()
		t.settle(&l.out)
		<-l.wake
		t.mu.Lock()
	}
	t.mu.Unlock()
	t.settle(&l.out)
	return true
}

// takeShare moves requests from the queue to the batch. One that is sent for
// the second time goes alone, so that it is not lost to a neighbour's end of
// the connection. t.mu is held, and something is ready.
func (l *lane) takeShare(now int64) {
	t := l.t
	size := 0
	for n := min(t.share(), t.ready(now)); n > 0; n-- {
		size += len(t.queue.at(0).buf)
		if len(l.batch) > 0 && size > maxBatchBytes {
			break
		}
		e := t.queue.popFront()
		l.batch = append(l.batch, e)
		if e.retried {
			break
		}
	}
	if t.breaker.open() {
		l.probe = true
		t.breaker.probeAt.Store(underWay)
	}
	t.taken = now
	t.served += uint64(len(l.batch))
	t.length.Store(int64(t.queue.n))
	t.inflight.Add(int64(len(l.batch)))
}

// usable reports whether the connection still goes to the right place, and is
// good after the lane was idle. One with a batch under way is in use.
func (l *lane) usable() bool {
	return l.underWay || !l.moved() && (l.idleSince == 0 || l.t.f.now()-l.idleSince < idleCheck || quiet(l.socket))
}

// dropBatch ends the whole batch before anything of it was sent.
func (l *lane) dropBatch(reason dropReason) {
	for _, e := range l.batch {
		l.out.drop(e, reason)
	}
	l.finish()
}

// finish counts the batch and gives back what has to be sent once more.
func (l *lane) finish() {
	t := l.t
	if l.probe || l.trouble != nil {
		t.failed(l.trouble, l.probe)
		l.probe, l.trouble = false, nil
	}
	// Counted before it leaves the gauge, so that it is missed in neither.
	t.settle(&l.out)
	if len(l.back) > 0 {
		t.giveBack(l.back)
		clear(l.back)
		l.back = l.back[:0]
	}
	t.inflight.Add(-int64(len(l.batch) + l.forOthers))
	l.forOthers = 0
	clear(l.batch)
	l.batch = l.batch[:0]
}

// exchange sends the batch and reads its answers. It reports whether the
// connection is good for another one.
func (l *lane) exchange() bool {
	l.sendCarried()
	if !l.underWay {
		l.send()
	}
	l.readCarried()
	return l.receive()
}

func (l *lane) send() {
	l.t.metrics.batchSize.Update(float64(len(l.batch)))
	l.encode()
	l.start = l.t.f.now()
	l.clock = l.start
	l.setWriteDeadline()
	if l.written, l.writeErr = l.write(); l.writeErr != nil {
		// The target may have answered before it closed.
		l.clock = l.t.f.now()
	}
	l.underWay = true
}

// receive reads the answers to what was sent, and ends the batch.
func (l *lane) receive() bool {
	l.underWay = false
	sent := len(l.batch)
	for sent > 0 && l.written <= l.startOf(sent-1) {
		sent--
	}
	good := l.readAnswers(sent, l.start)
	if sent == 0 {
		l.broke(l.writeErr)
	}
	for _, e := range l.batch[sent:] {
		l.unsent(e)
	}
	l.finish()
	return good && l.writeErr == nil
}

// broke notes what ended a connection. One that was good before and then broke is
// no failure of the target: it may close what is idle when it likes.
func (l *lane) broke(err error) {
	if !l.proven || errors.Is(err, os.ErrDeadlineExceeded) {
		l.trouble = err
	}
}

func (l *lane) startOf(i int) int {
	if i == 0 {
		return 0
	}
	return l.ends[i-1]
}

// encode lays the batch out for one write: small pieces are copied next to each
// other, large ones stay where they are.
func (l *lane) encode() {
	l.small, l.pieces, l.ends = l.small[:0], l.pieces[:0], l.ends[:0]
	mark, size := 0, 0
	add := func(piece []byte) {
		size += len(piece)
		if len(piece) < referTo && len(l.batch) > 1 {
			l.small = append(l.small, piece...)
			return
		}
		if mark < len(l.small) {
			l.pieces = append(l.pieces, l.small[mark:])
			mark = len(l.small)
		}
		if len(piece) > 0 {
			l.pieces = append(l.pieces, piece)
		}
	}
	for _, e := range l.batch {
		l.encodeOne(e.payload, add)
		l.ends = append(l.ends, size)
	}
	if mark < len(l.small) {
		l.pieces = append(l.pieces, l.small[mark:])
	}
}

// encodeOne passes the pieces of one request on, with this target's path and
// Host.
func (l *lane) encodeOne(p *payload, add func([]byte)) {
	t := l.t
	at := 0
	if len(t.prefix) > 0 && p.buf[p.path] != '*' {
		add(p.buf[:p.path])
		add(t.prefix)
		at = p.path
	}
	host := t.newHost
	if host == nil && p.hostStart == p.hostEnd {
		host = t.ownHost
	}
	if host != nil {
		add(p.buf[at:p.hostStart])
		add(host)
		at = p.hostEnd
	}
	add(p.buf[at:])
}

func (l *lane) write() (int, error) {
	if len(l.pieces) == 1 {
		return l.stream.Write(l.pieces[0])
	}
	l.writing = l.pieces
	n, err := l.writing.WriteTo(l.stream)
	return int(n), err
}
