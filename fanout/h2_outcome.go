package fanout

import (
	"errors"
	"fmt"
	"os"

	"github.com/mirrorgate/mirrorgate/fanout/internal/http2"
)

// ended is the end of a stream.
func (m *mux) ended(s *stream, ev *http2.Event) {
	m.used = m.clock
	switch {
	case s.payload == nil: // its outcome is known
	case s.code != 0:
		m.responded(s)
	case ev.End == http2.StreamUnprocessed && ev.Code == http2.RefusedStream && s.refused == mostRefused:
		m.failed(s, resetError(ev.Code), errorReset)
	case ev.End == http2.StreamUnprocessed:
		if ev.Code == http2.RefusedStream {
			s.refused++
		}
		m.giveBack([]entry{s.entry})
		s.payload = nil
	case ev.End == http2.StreamReset:
		m.failed(s, resetError(ev.Code), errorReset)
	default:
		m.failed(s, errMalformed, errorProtocol)
	}
	m.free(s)
}

// responded counts the response on a stream.
func (m *mux) responded(s *stream) {
	code := int(s.code)
	if s.grpc() {
		m.t.grpc.of(s.grpcStatus).Inc()
		code = grpcOutcome(code, s.grpcStatus)
	}
	m.w.results.response(m.t, &s.entry, code, s.took)
}

// mostRefused is how often a request is sent again that the target refuses
// (RFC 9113 section 8.7).
const mostRefused = 3

var errMalformed = errors.New("what came on the stream is no response")

// free makes a stream's slot free.
func (m *mux) free(s *stream) {
	if s.probe && s.code == 0 {
		m.w.probed = true
	}
	s.keeping.end(false)
	*s = stream{}
}

// failed ends a request that was sent and gets no response.
func (m *mux) failed(s *stream, cause error, kind errorKind) {
	m.start = s.start
	if kind == errorProtocol {
		m.t.failures.note(m.t, kind.String(), cause)
	} else {
		m.t.trouble(m.conn, cause)
	}
	m.w.results.fail(&s.entry, kind)
}

// late ends a stream that took too long.
func (m *mux) late(s *stream) {
	switch {
	case s.payload == nil:
	case s.code != 0:
		m.responded(s)
	default:
		m.failed(s, os.ErrDeadlineExceeded, errorTimeout)
	}
	m.free(s)
}

// broke is the end of the connection, for an error: none of its streams goes on.
func (m *mux) broke(err error) {
	if m.over {
		return
	}
	m.over, m.closing = true, true
	noted := false
	for i := range m.streams {
		s := &m.streams[i]
		if !s.used {
			continue
		}
		if s.payload != nil {
			m.start = s.start
			m.lost(s, err, &noted)
		}
		m.free(s)
	}
	m.giveBack(m.batch)
	m.clearBatch()
}

// lost ends a request whose connection ended. The target is told on once for all.
func (m *mux) lost(s *stream, err error, noted *bool) {
	t, r, e := m.t, &m.w.results, &s.entry
	note := func() {
		if !*noted {
			t.trouble(m.conn, err)
			*noted = true
		}
	}
	var broken *http2.ConnError
	switch {
	case s.code != 0:
		m.responded(s)
	case !m.wasSent(s):
		note()
		r.unsent(t, e, err)
	case t.aborting.Err() != nil:
		r.fail(e, errorAborted)
	case errors.As(err, &broken):
		if !*noted {
			t.failures.note(t, errorProtocol.String(), err)
			*noted = true
		}
		r.fail(e, errorProtocol)
	case isTimeout(err):
		note()
		r.fail(e, errorTimeout)
	case !m.proven && tlsAlert(err):
		note()
		r.fail(e, errorTLS)
	default:
		note()
		r.resend(t, e, e.idempotent())
	}
}

// wasSent reports whether something of the request was written. What TLS took
// counts.
func (m *mux) wasSent(s *stream) bool {
	if !m.plain() {
		return true
	}
	return s.first < m.handed-int64(len(m.socket.unsent))
}

func resetError(code http2.ErrCode) error {
	if code == http2.HTTP11Required {
		return errors.New("the target wants HTTP/1.1 (HTTP_1_1_REQUIRED): give it http=1")
	}
	return fmt.Errorf("the target reset the stream: %v", code)
}

func goawayError(code http2.ErrCode, debug []byte) error {
	if len(debug) > 0 {
		return fmt.Errorf("the target ended the connection: GOAWAY %v, %q", code, debug)
	}
	return fmt.Errorf("the target ended the connection: GOAWAY %v", code)
}
