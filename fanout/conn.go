package fanout

import (
	"io"
	"net/netip"
	"slices"

	"github.com/mirrorgate/mirrorgate/fanout/internal/http1"
)

// conn is a connection to a target, with the requests that are on it. It is in
// one pair of hands at a time: in the target's stack of idle ones, a worker's, or
// a goroutine's that waits for a late response. Between exchanges, and while it
// waits, it holds no buffer.
type conn struct {
	t       *target
	stream  io.ReadWriter // the socket, or TLS over it
	socket  *socket
	release func()        // closes it, and gives its place in the pool back
	addr    netip.Addr    // where it goes
	known   *[]netip.Addr // the addresses that addr was looked for in last

	idleSince  int64
	restUntil  int64 // not to be used before; 0: at once
	behindHead bool  // the last response was one to HEAD
	inBody     bool  // in target.bodies, unless it was evicted

	exchange
}

// exchange is one batch of requests on a connection, and what came of the
// responses.
type exchange struct {
	batch    []entry  // in the order in which they are written
	toWrite  [][]byte // what has yet to be written, behind socket.unsent
	written  int      // bytes
	writeErr error
	start    int64 // when the batch was written
	clock    int64 // when something arrived last, at first start
	probe    bool  // finds out whether the target answers again

	response  http1.Reader // to batch[done]
	done      int          // how many responses are complete
	counted   bool         // the status of the next one arrived
	since     int64        // when what is waited for began: the response at the end of the one before, its body at the status
	bodyBytes int          // of the socket since then
	rest      []byte       // of a head: up to one line that is not complete
	drained   bool         // TLS holds nothing that it read
	readBy    int64        // the read deadline that the socket knows
	closing   bool         // nothing follows on the connection
	proven    bool         // a response came on it, also to an earlier batch
}

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
	c.response.Start(c.batch[0].head())
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
