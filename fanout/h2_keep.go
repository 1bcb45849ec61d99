package fanout

import (
	"github.com/mirrorgate/mirrorgate/fanout/internal/http1"
	"github.com/mirrorgate/mirrorgate/fanout/internal/http2"
)

// keep keeps what came of a response that is compared, in the form that responses
// over HTTP/1.1 have.
func (m *mux) keep(s *stream, ev *http2.Event) {
	k := &s.keeping
	bodyLeft := int64(-1)
	if ev.End == http2.StreamDone {
		bodyLeft = 0
	}
	if ev.Block != nil {
		part := http1.Trailer
		if ev.Status != 0 {
			part = http1.Head
		}
		m.w.block = m.state.AppendHead(m.w.block[:0], ev)
		k.take(part, m.w.block, bodyLeft)
		if ev.Status != 0 {
			k.status(ev.Status, s.took)
		}
	}
	if len(ev.Data) > 0 {
		k.take(http1.Body, ev.Data, bodyLeft)
	}
	if ev.End != http2.StreamOpen {
		k.end(ev.End == http2.StreamDone)
	}
}
