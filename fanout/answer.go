package fanout

import (
	"bytes"
	"errors"
	"io"
	"os"
	"time"

	"github.com/valyala/fasthttp"
)

// maxAnswer is how many bytes of an answer's body are read before the
// connection is rather closed.
const maxAnswer = 1 << 20

// laneReader reads from the socket of a lane. It keeps the deadline of the
// answer that is waited for, and notes when and how each read ended: what
// arrives in one read has arrived at one time.
type laneReader struct{ l *lane }

func (r laneReader) Read(b []byte) (n int, err error) {
	l := r.l
	if l.set != l.deadline {
		l.set = l.deadline
		l.stream.SetReadDeadline(l.t.f.start.Add(time.Duration(l.deadline)))
	}
	n, err = l.stream.Read(b)
	l.clock, l.readErr = l.t.f.now(), err
	return n, err
}

// setDeadline sets the limit for writing and for the first answer at once.
func (l *lane) setDeadline(at int64) {
	l.deadline, l.set = at, at
	l.stream.SetDeadline(l.t.f.start.Add(time.Duration(at)))
}

// readAnswers reads the answers to the first sent requests of the batch and
// gives each its outcome. It reports whether the connection is still good.
func (l *lane) readAnswers(sent int, start int64) bool {
	for i, e := range l.batch[:sent] {
		rest := l.batch[i+1 : sent]
		l.deadline = l.clock + int64(l.t.cfg.Timeout)
		l.answer.SkipBody = e.head
		if err := l.answer.ReadLimitBody(l.reader, 0); err != nil {
			l.noAnswer(e, rest, false)
			return false
		}
		good, err := l.discardBody()
		if err != nil {
			l.noAnswer(e, rest, true)
			return false
		}
		code := l.answer.StatusCode()
		if code < 100 || code > 599 {
			l.out.fail(e, errorProtocol)
			l.broken(rest)
			return false
		}
		l.out.responses[code/100-1]++
		l.out.end(e)
		l.t.metrics.duration.Update(float64(l.clock-start) / 1e9)
		closes := wantsClose(&l.answer)
		if i == 0 {
			l.t.answered(l.clock-start, len(l.batch), closes)
		}
		switch {
		case closes:
			l.unprocessed(rest)
			return false
		case !good:
			l.broken(rest)
			return false
		}
	}
	// Bytes behind the last answer belong to nothing that was asked.
	return sent > 0 && l.reader.Buffered() == 0
}

// discardBody throws the body of the answer away as it arrives. It reports
// whether the connection stands behind the body.
func (l *lane) discardBody() (good bool, err error) {
	stream := l.answer.BodyStream()
	if stream == nil {
		return true, nil
	}
	defer l.answer.CloseBodyStream()
	length := l.answer.Header.ContentLength()
	if length > maxAnswer {
		return false, nil
	}
	if length >= 0 {
		_, err = l.reader.Discard(length)
		return true, err
	}
	l.body = io.LimitedReader{R: stream, N: maxAnswer + 1}
	_, err = io.Copy(io.Discard, &l.body)
	return l.body.N > 0, err
}

// wantsClose reports whether the answer is the last one of its connection
// (RFC 9112 section 9.6). fasthttp knows "close" only in this spelling and
// without other tokens. Nothing follows a 101, either.
func wantsClose(answer *fasthttp.Response) bool {
	if answer.ConnectionClose() || answer.StatusCode() == fasthttp.StatusSwitchingProtocols {
		return true
	}
	tokens := answer.Header.Peek("Connection")
	for len(tokens) > 0 {
		var token []byte
		token, tokens, _ = bytes.Cut(tokens, []byte(","))
		if bytes.EqualFold(bytes.TrimSpace(token), []byte("close")) {
			return true
		}
	}
	return false
}

// noAnswer ends a request whose answer could not be read, and what stands
// behind it. started says that the answer's header section had arrived, so that
// the request was processed.
func (l *lane) noAnswer(e entry, rest []entry, started bool) {
	switch {
	case errors.Is(l.readErr, os.ErrDeadlineExceeded):
		l.out.fail(e, errorTimeout)
		for _, e := range rest {
			l.out.fail(e, errorTimeout)
		}
		return
	case l.readErr == nil: // the bytes came, and were no answer
		l.out.fail(e, errorProtocol)
	case started && l.t.aborting.Err() == nil:
		l.out.fail(e, errorReset)
	default:
		l.broken([]entry{e})
	}
	l.broken(rest)
}

// broken ends requests that were written to a connection that broke
// unannounced: they may have been processed.
func (l *lane) broken(entries []entry) {
	for _, e := range entries {
		l.resend(e, e.idempotent)
	}
}

// unprocessed ends requests behind an answer that closes: they were certainly
// not processed (RFC 9112 section 9.6).
func (l *lane) unprocessed(entries []entry) {
	for _, e := range entries {
		l.resend(e, true)
	}
}

// resend gives a request that was sent and got no answer back to the queue, if
// it may be sent again and was not yet.
func (l *lane) resend(e entry, allowed bool) {
	switch {
	case l.t.aborting.Err() != nil:
		l.out.fail(e, errorAborted)
	case allowed && !e.retried:
		l.back = append(l.back, e)
	default:
		l.out.fail(e, errorReset)
	}
}

// unsent ends a request of which nothing was written.
func (l *lane) unsent(e entry) {
	switch {
	case l.t.aborting.Err() != nil:
		l.out.drop(e, dropShutdown)
	case !e.retried:
		l.back = append(l.back, e)
	default:
		l.out.drop(e, dropDial)
	}
}
