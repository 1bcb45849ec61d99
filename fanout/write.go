package fanout

import (
	"slices"
	"time"
)

// maxBatchBytes bounds the requests of a batch: a target may wait for us to read
// before it reads on.
const maxBatchBytes = 64 << 10

// write writes the batch, as far as the kernel takes it without waiting. buf is
// scratch, at least maxBatchBytes long.
func (c *conn) write(buf []byte) {
	first, tail := c.encode(buf[:0])
	copied := len(c.batch) > 1 || c.t.rewrites(c.batch[0].payload)
	n := 0
	switch {
	case c.plain():
		n, c.writeErr = c.socket.send(first)
	case len(first) <= maxBatchBytes:
		n, c.writeErr = c.stream.Write(first)
	}
	c.written = n
	if first = first[n:]; c.writeErr == nil && len(first)+len(tail) > 0 {
		if copied {
			first = slices.Clone(first)
		}
		c.toWrite = append(c.toWrite, first, tail)
	}
}

// allSent reports whether the whole batch was written.
func (c *conn) allSent() bool {
	return len(c.socket.unsent)+len(c.toWrite) == 0 && c.writeErr == nil
}

// writeRest writes what write left, and waits for that.
func (c *conn) writeRest() {
	if c.allSent() || c.writeErr != nil {
		return
	}
	c.t.processors.release()
	s := c.socket
	s.SetWriteDeadline(time.Now().Add(c.t.cfg.Timeout))
	s.waits = true
	c.writeErr = s.flush()
	for _, piece := range c.toWrite {
		if c.writeErr == nil {
			n := 0
			n, c.writeErr = c.stream.Write(piece)
			c.written += n
		}
	}
	s.waits = false
	c.t.processors.acquire()
	clear(c.toWrite)
	c.toWrite = c.toWrite[:0]
	c.clock = c.t.now()
	c.since = c.clock
}

// encode lays the batch out in dst, as far as it fits. A single request stays
// where it is, if it is written as it is; of one that does not fit, tail is the
// rest. The size of each request in the batch becomes what is written.
func (c *conn) encode(dst []byte) (first, tail []byte) {
	t := c.t
	if e := &c.batch[0]; len(c.batch) == 1 && !t.rewrites(e.payload) {
		e.size = int32(len(e.buf))
		return e.buf, nil
	}
	for i := range c.batch {
		e := &c.batch[i]
		before := len(dst)
		dst, tail = t.appendRequest(dst, e.payload)
		e.size = int32(len(dst) - before + len(tail))
	}
	return dst, tail
}

// rewrites reports whether the request is not written as it stands in p.
func (t *target) rewrites(p *payload) bool {
	return len(t.prefix) > 0 && p.buf[p.path] != '*' || t.hostFor(p) != nil
}

// hostFor returns the line of Host that p gets from the target, nil if it keeps
// its own.
func (t *target) hostFor(p *payload) []byte {
	if t.newHost == nil && p.hostStart == p.hostEnd {
		return t.ownHost
	}
	return t.newHost
}

// appendRequest appends a request with this target's path and Host. What does not
// fit into dst is the tail, which stands in the payload.
func (t *target) appendRequest(dst []byte, p *payload) (whole, tail []byte) {
	at := int32(0)
	if len(t.prefix) > 0 && p.buf[p.path] != '*' {
		dst = append(dst, p.buf[:p.path]...)
		dst = append(dst, t.prefix...)
		at = p.path
	}
	if host := t.hostFor(p); host != nil {
		dst = append(dst, p.buf[at:p.hostStart]...)
		dst = append(dst, host...)
		at = p.hostEnd
	}
	rest := p.buf[at:]
	n := min(len(rest), max(0, maxBatchBytes-len(dst)))
	return append(dst, rest[:n]...), rest[n:]
}
