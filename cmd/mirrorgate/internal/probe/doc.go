// Package probe asks an HTTP server what mirrorgate has to know of a target: how
// long it keeps connections, whether it can be pipelined to, what it sends to
// HEAD, its TLS, HTTP/2, and the largest heads and bodies that it takes.
//
// The way through the files:
//
//	options.go     what to ask, and of whom; how many requests that will be
//	probe.go       all questions in order
//	connection.go  a connection: requests out, responses in, and how it ends
//	request.go     the requests
//	response.go    what is kept of a response, and what tells two apart
//	keepalive.go   several requests on one connection, and how long one may idle
//	pipelining.go  requests that do not wait for the response before them
//	head.go        HEAD
//	host.go        a Host that the target does not know
//	limits.go      large heads and bodies
//	tls.go         version, certificates, ALPN
//	http2.go       HTTP/2, by ALPN or with prior knowledge
//	report.go      what was seen
//	advice.go      the --target line that follows from it
//	table.go       the report as an engineer reads it
//
// Responses are read off the connection itself, since net/http's client hides
// what a server does wrong. Each question has connections of its own, so that one
// that breaks spoils no other. On its own runs: the wait on an idle connection,
// and for each connection the writing of what is sent on it; all of it has ended
// when Run returns.
package probe
