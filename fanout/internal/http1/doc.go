// Package http1 reads the HTTP/1.1 responses that arrive on a connection,
// without the connection: the caller hands over the bytes it has, wherever they
// are cut, and learns how many of them belong to the response that is due, and
// whether it is complete. So one goroutine reads many connections, and one that
// waits holds no buffer.
//
// Of a response only what RFC 9112 needs to find its end is looked at: the
// status line and the fields Content-Length, Transfer-Encoding and Connection.
// Nothing is kept of it here but a [Reader] of a few words, and nothing is allocated.
//
// The flow of a response through the files:
//
//	reader.go  the state between two reads, and what is asked about a response
//	head.go    status line and field lines; how the body is framed
//	memo.go    a head that came before needs no reading
//	body.go    bodies with a length, up to the end of the connection, in chunks
//	part.go    the same, part by part, for callers that keep the response
//	errors.go  what no response looks like
//
// The package starts no goroutine and locks nothing: a Reader belongs to
// whoever reads its connection at the time.
package http1
