// Package codec reads and writes SPOP, the protocol between HAProxy's SPOE
// filter and its agents, and gives the HTTP view of what HAProxy mirrors.
//
// It is pure: bytes in, values or bytes out. It holds no state, starts no
// goroutine and, on the way of a NOTIFY, allocates nothing. Parsers are total:
// whatever the bytes are, they return an error and never panic, and they check
// every length against what is there before they use it. What they return
// points into what they were given.
//
// The flow of a request through the files:
//
//	frame.go     the envelope: length, type, flags, stream-id, frame-id
//	varint.go    the integers in it
//	hello.go     the handshake, both ways
//	message.go   the messages of a NOTIFY and their arguments
//	value.go     typed values
//	request.go   a message read as an HTTP request
//	limits.go    how much of that a NOTIFY may hold
//	response.go  what it says of the response of production
//	headers.go   its header fields (req.hdrs_bin or req.hdrs)
//	target.go    its request target in origin-form
//	ack.go       the response to a NOTIFY
//	status.go    how a connection ends: DISCONNECT and its codes
//	haproxy.go   the other side, for load generators and tests
//
// "SPOE.txt" in the comments is doc/SPOE.txt of HAProxy 2.6.
package codec
