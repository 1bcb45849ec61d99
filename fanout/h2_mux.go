package fanout

import (
	"sync/atomic"
	"time"

	"github.com/mirrorgate/mirrorgate/fanout/internal/http2"
)

// mux is an HTTP/2 connection with the worker that has it. All of it is the
// worker's, but for what says otherwise.
type mux struct {
	*conn
	w       *worker
	state   *http2.Conn
	streams []stream // by slot
	batch   []entry  // taken from the queue, to be written
	handed  int64    // bytes that were given to the socket, or to TLS over it
	due     int64    // nothing has to be given up before
	used    int64    // when a stream ended last, or the connection began
	retired bool     // it takes no more requests
	over    bool     // it is closed for writing and reading

	writable atomic.Bool // or broken: of a socket that was full
	full     bool        // a goroutine waits for that
	roomErr  error       // of that goroutine, until writable is set

	waits bool // in target.http2.waiting; with t.mu
	room  int  // counted in target.http2.room; likewise
}

// stream is a request on an HTTP/2 connection.
type stream struct {
	entry        // without a payload: its outcome is known
	used  bool   // it is not over
	probe bool   // finds out whether the target answers again
	code  uint16 // of the response; 0: has not come
	start int64  // when it was written
	since int64  // when what is waited for began: the response at the start, its end at the status
	took  int64  // nanoseconds, of the response
	first int64  // its first byte, counted as handed

	grpcStatus int16 // if it came
	keeping    keeping
}

// multiplex is the life of a worker that has an HTTP/2 connection. c has requests
// that it was opened for.
func (w *worker) multiplex(c *conn) {
	t := w.t
	m := &mux{
		conn: c, w: w, state: http2.NewConn(t.streams()), streams: make([]stream, http2.Slots(t.streams())),
		batch: append([]entry(nil), c.batch...), due: never, used: t.now(), room: promised,
	}
	probe := c.probe
	c.forget()
	c.writeErr, c.clock, c.closing = nil, t.now(), false
	m.probe = probe
	if room := m.state.Room(); len(m.batch) > room {
		m.giveBack(m.batch[room:])
		m.batch = m.batch[:room]
	}
	m.write()
	w.report()
	for m.take() {
		if !m.write() {
			m.wait()
			m.endLate()
		}
		w.report()
	}
	m.close()
	w.report()
	turnBuffers.release(&w.buf)
}

// rouse wakes m from wait. Anybody may call it.
func (m *mux) rouse() { m.socket.SetReadDeadline(longAgo) }

var longAgo = time.Unix(1, 0)

// take takes requests from the queue, or leaves m to wait for bytes: then it may be
// roused for more. False asks it to end.
func (m *mux) take() bool {
	t := m.t
	if m.over {
		t.mu.Lock()
		t.leaveWaiting(m)
		t.setRoom(m, 0)
		t.mu.Unlock()
		return false
	}
	m.unblock()
	m.retired = m.retired || m.moved()
	m.setDeadline()
	t.mu.Lock()
	t.leaveWaiting(m)
	for m.takeOrWait() {
	}
	next := t.nextWorker(t.now())
	ends := m.ends(t.now())
	t.mu.Unlock()
	next.rouse()
	return !ends
}

// takeOrWait does one step of take, and reports whether there is another one. t.mu
// is held, but not all the time.
func (m *mux) takeOrWait() bool {
	t, w, now := m.t, m.w, m.t.now()
	if w.stale = t.takeStale(now, w.stale[:0]); len(w.stale) > 0 {
		t.mu.Unlock()
		for i := range w.stale {
			w.results.drop(&w.stale[i], dropStale)
		}
		t.settle(&w.results)
		t.mu.Lock()
		return true
	}
	room := 0
	if !m.retired && !m.full {
		room = m.state.Room()
	}
	if wait := t.gatherTime(now); room > 0 && wait > 0 {
		t.setRoom(m, room)
		w.gather(wait)
		return true
	}
	n := min(room, t.work(now), turnRequests)
	if n > 0 {
		m.fill(n, now)
	}
	m.retired = m.retired || m.ends(now)
	switch {
	case m.retired:
		room = 0
	case !m.state.Settled():
		room = promised
	case n == 0 && room > 0:
		m.waits = true
		t.http2.waiting = append(t.http2.waiting, m)
	default:
		room -= n
	}
	t.setRoom(m, room)
	return false
}

// promised is the room of a connection before the target says how much it has: it
// will be more than none, and m will look at the queue then.
const promised = 1

// ends reports whether the connection is of no more use. t.mu is held.
func (m *mux) ends(now int64) bool {
	return m.state.Open() == 0 && len(m.batch) == 0 &&
		(m.retired || m.t.draining && m.t.queue.n == 0 || now-m.used >= idleTime)
}

// fill takes so many requests, of which the first is a probe if the breaker is
// open. t.mu is held.
func (m *mux) fill(n int, now int64) {
	t := m.t
	m.probe = t.breaker.open()
	if m.probe {
		t.breaker.probeAt.Store(underWay)
	}
	for range n {
		m.batch = append(m.batch, t.queue.popFront())
	}
	t.length.Store(int64(t.queue.n))
	t.taken = now
	t.served += uint64(n)
}

// setDeadline sets until when wait waits.
func (m *mux) setDeadline() {
	at := m.due
	if m.state.Open() == 0 {
		at = m.used + idleTime
	}
	// To be woken too early now and then costs less than to move it each time.
	if m.readBy > at || m.readBy <= m.t.now() {
		m.readBy = at
		m.socket.SetReadDeadline(m.t.start.Add(time.Duration(at)))
	}
}

// close ends the connection and gives its place back. No stream is open.
func (m *mux) close() {
	if !m.over {
		turnBuffers.acquire(&m.w.buf)
		m.send(http2.AppendGoaway(m.w.buf[:0], http2.NoError))
	}
	m.conn.close()
}

// giveBack gives requests back to the queue of which nothing was written.
func (m *mux) giveBack(entries []entry) {
	for i := range entries {
		m.w.results.unprocessed(&entries[i])
	}
}
