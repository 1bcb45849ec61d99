// Package engine is the SPOP server: it talks to HAProxy, acknowledges every
// NOTIFY at once, and hands the requests on in batches.
//
// The way of a wake-up through the files:
//
//	loops.go       one read from a connection in, one write out, one Submit
//	session.go     the protocol, without a socket: hello, ready, closed
//	framing.go     whole frames out of whatever a read holds
//	reassembly.go  one NOTIFY out of its fragments
//	full.go        whether HAProxy's buffer was full, so that a body may be cut
//	wake.go        what a wake-up produces: replies, requests, counts
//	buffer.go      where unfinished frames wait, pooled
//	budget.go      how much of that there may be in all
//	metrics.go     what is counted; acktime.go how long the ACKs took
//
// and of a connection around it:
//
//	server.go      options, start
//	listen.go      addresses
//	accept.go      who may come in, and how many
//	registry.go    the connections there are
//	deadlines.go   handshakes and frames that never end
//	drain.go       the way out: Drain and Close
//	log.go         what peers did wrong, for the log
//
// The primary request waits in HAProxy until its NOTIFY is acknowledged, so the
// ACK leaves before anything is done with the request.
package engine
