// Package engine is the SPOP server: it talks to HAProxy, acknowledges every
// NOTIFY at once, and hands the requests on in batches.
//
// A connection comes in through
//
//	server.go      options, start
//	address.go     what an address says: where, and who may connect to a socket
//	listen.go      binding it
//	accept.go      who may come in, and how many
//	waiting.go     those that wait for room, and who has to go for them
//	registry.go    the connections there are, and the hosts that they come from
//
// the way of a wake-up is
//
//	loops.go       one read from a connection in, one write out, one Submit
//	session.go     the protocol, without a socket: hello, ready, closed
//	framing.go     whole frames out of whatever a read holds
//	reassembly.go  one NOTIFY out of its fragments
//	wake.go        what a wake-up produces: replies, then NOTIFYs
//	decode.go      the requests in those, once the replies are written
//	ignored.go     which messages are no requests
//	truncation.go  whether HAProxy's buffer was full, so that a body may be cut
//	buffer.go      where unfinished frames wait, pooled
//	budget.go      how much of that there may be, in all and from one address
//	metrics.go     what is counted; acktime.go how long the ACKs took
//
// and it ends in
//
//	deadlines.go   handshakes, frames and replies that never end
//	drain.go       the way out: Drain and Close
//	log.go         what peers did wrong, for the log
//
// The primary request waits in HAProxy until its NOTIFY is acknowledged, so the
// ACKs of a read leave before anything of it is decoded. It is decoded before the
// loop turns to another connection: nothing is copied for later.
//
// Who runs, and what belongs to whom: an event loop owns its connections, with
// their sessions and the wake of each wake-up; one acceptor for each address owns
// nothing but the connection in its hands; the sweeper owns nothing, and asks a
// loop (conn.onLoop) to do something to a connection, as Close does. A conn's
// deadline is atomic; its places in the lists of the registry belong to that.
//
// Locks, none of which is held while another is taken: registry.mu (connections,
// hosts), spareBuffers.mu (larger buffers), ignoredMessages.mu. No event loop waits for anything else:
// not for a socket or a channel, and neither the Logger nor the Mirror may wait.
package engine
