package fanout

import (
	"io"
	"time"
)

// maxBody is how many bytes of a body that nobody keeps, and that no request
// stands behind, are read before the connection is rather closed.
const maxBody = 1 << 20

// readNow reads what is there, a buffer full at the most, and takes it. The error
// says that nothing is there; what ends the connection ends its batch.
func (c *conn) readNow(buf []byte, r *results) error {
	c.socket.since = c.clock
	at := copy(buf, c.rest)
	n, err := c.stream.Read(buf[at:])
	return c.read(buf[:at+n], n, err, r)
}

// readSoon is readNow, but waits until the read deadline.
func (c *conn) readSoon(buf []byte, r *results) error {
	if !c.plain() {
		if err := c.awaitTLS(); err != nil {
			return err
		}
		return c.readNow(buf, r)
	}
	c.socket.since = c.clock
	at := copy(buf, c.rest)
	n, err := c.socket.await(buf[at:])
	return c.read(buf[:at+n], n, err, r)
}

// readLate is readSoon with a buffer that is borrowed when something is there.
func (c *conn) readLate(r *results) error {
	var buf []byte
	defer lateBuffers.release(&buf)
	if !c.plain() {
		if err := c.awaitTLS(); err != nil {
			return err
		}
		lateBuffers.acquire(&buf)
		_ = c.readNow(buf, r) // a part of a record may be all that is there
		return nil
	}
	c.socket.since = c.clock
	n, err := c.socket.awaitBorrowed(lateBuffers, &buf, len(c.rest))
	at := copy(buf, c.rest)
	return c.read(buf[:at+n], n, err, r)
}

// awaitTLS waits for the socket, unless TLS may still hold bytes that it read.
func (c *conn) awaitTLS() error {
	if !c.drained {
		return nil
	}
	if _, err := c.socket.await(nil); isTimeout(err) {
		return err
	}
	return nil
}

// limit is when what is waited for has to be there.
func (c *conn) limit() int64 { return c.since + int64(c.t.cfg.Timeout) }

// readBefore sets the read deadline, which may be later by slack.
func (c *conn) readBefore(at, slack int64) {
	if c.readBy < at || c.readBy > at+slack {
		c.readBy = at + slack
		c.socket.SetReadDeadline(c.t.start.Add(time.Duration(c.readBy)))
	}
}

// read takes what a read returned: n bytes, the last ones of b.
func (c *conn) read(b []byte, n int, err error, r *results) error {
	c.drained = n == 0
	if n > 0 {
		c.clock = c.arrival()
		c.parse(b, n, r)
		return nil
	}
	if isTimeout(err) {
		return err
	}
	c.broke(err, r)
	return nil
}

// arrival returns when the bytes of the last read arrived, whenever that was.
func (c *conn) arrival() int64 {
	s := c.socket
	if s.arrived == 0 {
		return s.at
	}
	now := time.Now()
	age := now.UnixNano() - s.arrived // both follow the steps of the wall clock
	return max(c.clock, int64(now.Sub(c.t.start))-max(0, age))
}

// parse gives what arrived to the responses of the batch. n bytes of it are new.
func (c *conn) parse(b []byte, n int, r *results) {
	if c.counted {
		c.bodyBytes += n
	}
	for len(b) > 0 {
		if c.done == len(c.batch) {
			c.stray()
			return
		}
		n, err := c.readResponse(&r.memo, b)
		b = b[n:]
		if err != nil {
			c.broke(err, r)
			return
		}
		if !c.counted && c.response.Code() != 0 {
			c.status(r)
		}
		if !c.response.Done() {
			break
		}
		c.next(r)
		if c.closing {
			return
		}
	}
	c.rest = append(c.rest[:0], b...)
	if c.onlyBody() && c.bodyBytes > maxBody {
		c.end(nil, r)
	}
}

// onlyBody reports whether all that is left to come is a body that nobody keeps
// and that no request stands behind.
func (c *conn) onlyBody() bool {
	return c.counted && c.done == len(c.batch)-1 && c.keeping.pair == nil
}

// stray closes a connection on which something came that no request asked for.
func (c *conn) stray() {
	c.closing = true
	if c.batch[c.done-1].head() {
		c.t.headWithBody()
	}
}

// status counts the response to the current request, whose status arrived: it
// counts however the body goes on.
func (c *conn) status(r *results) {
	took := c.clock - c.start
	c.keeping.status(c.response.Code(), took)
	if c.done == 0 {
		r.came(took)
	}
	r.response(c.t, &c.batch[c.done], c.response.Code(), took)
	c.counted, c.proven, c.since, c.bodyBytes = true, true, c.clock, 0
}

// next goes on behind a complete response.
func (c *conn) next(r *results) {
	c.keeping.end(true)
	c.done++
	c.counted, c.since = false, c.clock
	if c.response.Close() {
		c.end(nil, r)
		return
	}
	if c.done < len(c.batch) {
		c.startResponse()
	} else if len(c.batch) > 1 {
		r.whole = true
	}
}

// broke ends the connection for an error: a time limit, io.EOF, what the socket
// said, or a response that is none.
func (c *conn) broke(err error, r *results) {
	switch {
	case c.done == len(c.batch) || c.counted: // the outcome is known
	case c.done == 1 && isTimeout(err): // it may ignore what stands behind the first request
	case c.sent(c.done):
		r.noResponse(c, err)
	default:
		c.t.trouble(c, err)
	}
	c.end(err, r)
}

// end closes the connection behind what has come, for an error if there was one.
// What stands behind it goes back to the queue once: nothing stands behind another
// request that may not be sent again.
func (c *conn) end(err error, r *results) {
	c.closing = true
	c.keeping.end(c.response.UntilClose() && err == io.EOF)
	if c.done == 1 && !c.counted && len(c.batch) > 1 && c.t.aborting.Err() == nil {
		r.cut++
	}
	for i := c.done; i < len(c.batch); i++ {
		switch e := &c.batch[i]; {
		case e.payload == nil: // its outcome is known
		case c.sent(i):
			r.resend(c.t, e, true)
		default:
			r.unsent(c.t, e, err)
		}
	}
	c.done = len(c.batch)
}

// sent reports whether something of batch[i] was written.
func (c *conn) sent(i int) bool {
	if c.writeErr == nil {
		return true
	}
	before := 0
	for _, e := range c.batch[:i] {
		before += int(e.size)
	}
	return before < c.written
}
