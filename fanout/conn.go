package fanout

import (
	"io"
	"slices"
)

// plain returns whether the connection is not encrypted.
func (c *conn) plain() bool { return c.stream == io.ReadWriter(c.socket) }

// moved reports whether the connection goes to an address that the target's
// host no longer has.
func (c *conn) moved() bool {
	set := c.t.addresses.set.Load()
	if set == c.known {
		return false
	}
	c.known = set
	return !slices.Contains(*set, c.addr)
}

// begin makes c ready for its batch to be written.
func (c *conn) begin(now int64) {
	c.written, c.writeErr, c.start, c.clock = 0, nil, now, now
	c.done, c.counted, c.closing, c.since = 0, false, false, now
	c.startResponse()
	for i := range c.batch {
		if e := &c.batch[i]; e.flags&flagCompared != 0 {
			e.written(now)
		}
	}
}

// startResponse begins with the response to batch[done].
func (c *conn) startResponse() {
	e := &c.batch[c.done]
	c.response.Start(e.head())
	c.keeping = keepingOf(e)
}

// finished reports whether all responses are complete, or no more can come.
func (c *conn) finished() bool { return c.done == len(c.batch) || c.closing }

// reusable reports whether c is good for more requests behind its last batch.
func (c *conn) reusable() bool { return !c.closing && c.writeErr == nil }

// forget drops what c holds of its batch.
func (c *conn) forget() {
	clear(c.batch)
	c.batch, c.rest, c.probe = c.batch[:0], nil, false
}

// close closes c, and gives its place back. It must be in nobody else's hands,
// and t.mu not be held.
func (c *conn) close() {
	c.release()
	t := c.t
	t.mu.Lock()
	t.forgetConn()
	t.mu.Unlock()
}
