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

// untilClose is fasthttp's length of a body that ends with its connection.
const untilClose = -2

// laneReader reads from the socket of a lane. It keeps the deadline of the
// answer that is waited for, and notes when and how each read ended: what
// arrives in one read has arrived at one time.
type laneReader struct{ l *lane }

func (r laneReader) Read(b []byte) (n int, err error) {
	l := r.l
	if by := l.deadline + l.slack; l.readBy < l.deadline || l.readBy > by {
		l.readBy = by
		l.stream.SetReadDeadline(l.t.f.start.Add(time.Duration(by)))
	}
	n, err = l.stream.Read(b)
	l.clock, l.readErr = l.t.f.now(), err
	return n, err
}

// slackOf is how much later than asked a deadline may be: a socket's deadline is
// not moved for each answer, for that costs as much as to parse it.
func slackOf(timeout time.Duration) int64 { return int64(timeout / 64) }

// expect waits no longer for the next answer than the target may take.
func (l *lane) expect() {
	timeout := l.t.cfg.Timeout
	l.deadline, l.slack = l.clock+int64(timeout), slackOf(timeout)
}

func (l *lane) setWriteDeadline() {
	timeout := l.t.cfg.Timeout
	if at := l.start + int64(timeout); l.writeBy < at {
		l.writeBy = at + slackOf(timeout)
		l.stream.SetWriteDeadline(l.t.f.start.Add(time.Duration(l.writeBy)))
	}
}

// readAnswers reads the answers to the first sent requests of the batch and
// gives each its outcome. It reports whether the connection is still good.
func (l *lane) readAnswers(sent int, start int64) bool {
	for i, e := range l.batch[:sent] {
		rest := l.batch[i+1 : sent]
		l.expect()
		a := l.readAnswer(e.head, len(rest) > 0)
		if a.err != nil {
			l.noAnswer(e, rest, a.started)
			return false
		}
		if a.code < 100 || a.code > 599 {
			l.out.fail(e, errorProtocol)
			l.broken(rest)
			return false
		}
		l.answeredBy(e, a.code, l.clock-start)
		if i == 0 {
			l.proven = true
			l.t.answered(l.clock, l.clock-start, len(l.batch), a.closes)
		}
		switch {
		case a.closes:
			l.unprocessed(rest)
			return false
		case !a.good:
			l.broken(rest)
			return false
		}
	}
	// Bytes behind the last answer belong to nothing that was asked.
	return sent > 0 && l.reader.Buffered() == 0
}

// answeredBy counts an answer that took so many nanoseconds.
func (l *lane) answeredBy(e entry, code int, took int64) {
	l.out.responses[code/100-1]++
	if e.status != 0 {
		l.compare(e.payload, code, took)
	}
	l.out.end(e)
	l.t.metrics.duration.Update(float64(took) / 1e9)
}

// answer is how reading one answer ended.
type answer struct {
	code    int
	closes  bool // the target announced that it closes
	good    bool // the connection stands behind the answer
	started bool // the header section came, even if err is not nil
	err     error
}

// readAnswer reads one answer, the quick way if it is a simple one.
func (l *lane) readAnswer(toHead, more bool) answer {
	if l.reader.Buffered() == 0 {
		_, _ = l.reader.Peek(1) // an error is met again below
	}
	if b, _ := l.reader.Peek(l.reader.Buffered()); len(b) > 0 {
		if a, ok := parseSimpleAnswer(b, toHead); ok {
			_, err := l.reader.Discard(a.head + a.body)
			return answer{code: a.code, good: true, started: true, err: err}
		}
	}
	announced := toHead && l.closeAnnounced()
	l.answer.SkipBody = toHead
	if err := l.answer.ReadLimitBody(l.reader, 0); err != nil {
		return answer{err: err}
	}
	a := answer{code: l.answer.StatusCode(), started: true}
	if a.good, a.err = l.discardBody(); a.err != nil {
		return a
	}
	a.closes = wantsClose(&l.answer)
	if a.closes && toHead && !announced && l.answer.Header.ContentLength() == untilClose {
		// fasthttp says so of every answer without a length. What was not
		// announced, as far as is known, must not be taken for unprocessed, nor be relied on.
		a.closes, a.good = false, more
	}
	return a
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
	if err == nil && length != untilClose && l.readErr != nil {
		err = io.ErrUnexpectedEOF // io.Copy takes an end between two chunks for the end
	}
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
	l.broke(l.readErr)
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
		l.out.drop(e, l.t.farewell)
	case !e.retried:
		l.back = append(l.back, e)
	default:
		l.out.drop(e, dropDial)
	}
}
