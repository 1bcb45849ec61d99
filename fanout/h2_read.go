package fanout

import (
	"errors"

	"github.com/mirrorgate/mirrorgate/fanout/internal/http2"
)

// wait waits for bytes until the deadline, or until somebody rouses m, and takes
// what came. While it waits it holds no buffer.
func (m *mux) wait() {
	if m.over {
		return
	}
	s, w := m.socket, m.w
	s.since = m.clock
	n, err := 0, error(nil)
	if m.plain() {
		n, err = s.awaitBorrowed(turnBuffers, &w.buf, len(m.rest))
	} else if err = m.awaitTLS(); err == nil {
		turnBuffers.acquire(&w.buf)
		n, err = m.conn.stream.Read(w.buf[len(m.rest):])
	}
	m.drained = n == 0
	if n > 0 {
		m.clock = m.arrival()
		m.readFrames(w.buf[:copy(w.buf, m.rest)+n])
		return
	}
	if !isTimeout(err) {
		m.broke(err)
		return
	}
	m.readBy = 0 // somebody who roused m moved it
}

// readFrames takes what came.
func (m *mux) readFrames(b []byte) {
	for !m.over {
		n, ev, err := m.state.Read(b)
		b = b[n:]
		if err != nil {
			m.refuse(err)
			return
		}
		if ev.Slot < 0 {
			break
		}
		m.happened(&ev)
	}
	if m.rest = append(m.rest[:0], b...); len(b) == 0 && cap(m.rest) > keptRest {
		m.rest = nil
	}
	if came, _, _ := m.state.Goaway(); came && !m.retired {
		m.goaway()
	}
	if m.state.Ending() {
		m.retired = true
	}
}

// keptRest is how many bytes a connection may keep for the start of a frame whose
// end has not come.
const keptRest = 1 << 10

// happened takes what happened to a stream.
func (m *mux) happened(ev *http2.Event) {
	s := &m.streams[ev.Slot]
	if ev.Status != 0 {
		s.code, s.took, s.since = uint16(ev.Status), m.clock-s.start, m.clock
		m.proven = true
		m.w.results.came(s.took)
	}
	if s.keeping.pair != nil {
		m.keep(s, ev)
	}
	if ev.GRPC != http2.NoGRPCStatus {
		s.grpcStatus = int16(ev.GRPC)
	}
	switch {
	case ev.End != http2.StreamOpen:
		m.ended(s, ev)
	case s.code != 0 && s.payload != nil && !s.grpc() && !m.state.Sending(ev.Slot):
		m.responded(s)
	}
}

// refuse ends a connection on which the target broke the protocol, and tells it.
func (m *mux) refuse(err error) {
	var broken *http2.ConnError
	if errors.As(err, &broken) && !m.full {
		turnBuffers.acquire(&m.w.buf)
		m.send(http2.AppendGoaway(m.w.buf[:0], broken.Code))
	}
	m.broke(err)
}

// goaway is the end of a connection that the target announces: what it has not
// processed has gone back to the queue.
func (m *mux) goaway() {
	m.retired = true
	_, code, debug := m.state.Goaway()
	if code != http2.NoError || !m.proven && m.state.Open() == 0 {
		m.t.trouble(m.conn, goawayError(code, debug))
	}
}

// endLate gives up the streams that take longer than the timeout. What it comes to
// on a connection on which nothing came since is no longer used.
func (m *mux) endLate() {
	now := m.t.now()
	if now < m.due || m.over {
		return
	}
	m.due = never
	for slot := range m.streams {
		s := &m.streams[slot]
		if !s.used {
			continue
		}
		if limit := s.since + int64(m.t.cfg.Timeout); now < limit {
			m.due = min(m.due, limit)
			continue
		}
		m.state.Cancel(slot)
		m.retired = m.retired || m.clock <= s.start
		m.late(s)
	}
	m.write()
}
