package fanout

import (
	"bytes"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mirrorgate/mirrorgate/fanout/internal/http2"
)

// write writes what the target has to be told, the requests that were taken, and
// bodies that could not be sent before. What the kernel does not take stops it: the
// other requests go back to the queue. It reports whether there were requests.
func (m *mux) write() bool {
	requests := len(m.batch)
	if requests == 0 && (m.stopped() || !m.state.Pending()) {
		return false
	}
	w := m.w
	turnBuffers.acquire(&w.buf)
	buf := w.buf[:0]
	if m.handed == 0 {
		buf = m.state.AppendPreface(buf)
	}
	buf = m.state.AppendControl(buf)
	now := m.t.now()
	if requests > 0 {
		m.t.metrics.batchSize.Update(float64(requests))
	}
	for i := range m.batch {
		e := &m.batch[i]
		if len(buf) > 0 && len(buf)+int(e.body)+len(m.t.prefix)+requestRoom > maxBatchBytes {
			m.send(buf)
			buf = w.buf[:0]
		}
		if m.stopped() {
			m.giveBack(m.batch[i:])
			break
		}
		buf = m.appendRequest(buf, e, now)
	}
	m.clearBatch()
	for more := true; more && !m.stopped(); {
		buf, more = m.state.AppendData(buf)
		m.send(buf)
		buf = w.buf[:0]
	}
	if len(buf) > 0 {
		m.send(buf)
	}
	return requests > 0
}

// clearBatch forgets the requests that were taken. If the first is a probe that was
// not written, it has failed.
func (m *mux) clearBatch() {
	clear(m.batch)
	m.batch = m.batch[:0]
	m.w.probed = m.w.probed || m.probe
	m.probe = false
}

// requestRoom is how many bytes a request can have on the wire besides its head in
// HTTP/1.1 and a prefix: frame headers, lengths, a target's own Host.
const requestRoom = 1 << 10

// appendRequest opens a stream for a request.
func (m *mux) appendRequest(dst []byte, e *entry, now int64) []byte {
	t, p := m.t, e.payload
	line := p.buf[p.path:p.fields]
	r := http2.Request{
		Method: p.buf[:p.path-1],
		HTTPS:  !m.plain(),
		Path:   line[:len(line)-len(" HTTP/1.1\r\n")],
		Body:   p.buf[p.body:],
		// The outcome of gRPC stands behind the body.
		Trailers: e.flags&flagTrailers != 0, Whole: e.grpc(),
	}
	if r.Path[0] != '*' {
		r.Prefix = t.prefix
	}
	host := t.hostFor(p)
	if host == nil {
		host = p.buf[p.hostStart:p.hostEnd]
	}
	if r.Authority = valueOf(host); len(r.Authority) == 0 {
		r.Authority = valueOf(t.ownHost)
	}
	r.Lines = [2][]byte{p.buf[p.fields:p.hostStart], p.buf[p.hostEnd : p.body-2]}
	keeping := keepingOf(e)
	if keeping.pair != nil {
		e.written(now)
		r.Data, r.Whole = true, true
	}
	first := m.handed + int64(len(dst))
	dst, slot := m.state.AppendRequest(dst, &r)
	m.streams[slot] = stream{entry: *e, used: true, probe: m.probe, grpcStatus: http2.NoGRPCStatus, start: now, since: now, first: first, keeping: keeping}
	m.probe = false
	m.due = min(m.due, now+int64(t.cfg.Timeout))
	return dst
}

// valueOf returns the value in a field line.
func valueOf(line []byte) []byte {
	_, value, _ := bytes.Cut(line, colon)
	return bytes.TrimSpace(value)
}

var colon = []byte(":")

// stopped reports whether nothing can be written, now or ever.
func (m *mux) stopped() bool { return m.full || m.writeErr != nil }

// send gives bytes to the socket, which keeps what the kernel does not take. An
// error is not the end: the target may have said before why it is gone.
func (m *mux) send(b []byte) {
	if len(b) == 0 || m.writeErr != nil {
		return
	}
	n, err := m.conn.stream.Write(b)
	m.handed += int64(n)
	if err != nil {
		m.writeErr, m.retired = err, true
		return
	}
	if len(m.socket.unsent) > 0 && !m.full {
		m.awaitRoom()
	}
}

// awaitRoom lets a goroutine of its own wait until the socket can be written to
// again, for responses have to be read meanwhile.
func (m *mux) awaitRoom() {
	m.full = true
	m.writable.Store(false)
	s := m.socket
	s.SetWriteDeadline(time.Now().Add(m.t.cfg.Timeout))
	m.t.running.Go(func() {
		m.roomErr = s.awaitWritable()
		m.writable.Store(true)
		m.rouse()
	})
}

// unblock goes on with what the kernel did not take, if it would now.
func (m *mux) unblock() {
	if !m.full || !m.writable.Load() {
		return
	}
	m.full = false
	err := m.roomErr
	if err == nil {
		err = m.socket.sendUnsent()
	}
	if err != nil {
		m.broke(err)
		return
	}
	if len(m.socket.unsent) > 0 {
		m.awaitRoom()
	}
}

// awaitWritable waits until the kernel takes bytes, or the write deadline.
func (s *socket) awaitWritable() error {
	return s.raw.Write(func(fd uintptr) bool {
		polled := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
		n, err := unix.Poll(polled, 0)
		return n > 0 || err != nil && err != unix.EINTR
	})
}

// sendUnsent sends what the kernel takes now of what Write kept.
func (s *socket) sendUnsent() error {
	kept := s.unsent
	s.unsent = nil
	n, err := s.send(kept)
	if n < len(kept) {
		s.unsent = kept[n:]
	}
	return err
}
