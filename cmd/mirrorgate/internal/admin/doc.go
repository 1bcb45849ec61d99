// Package admin serves what operators look at and turn, over HTTP on an address
// of its own, away from the traffic.
//
//	server.go     the server: its paths, from Listen to Close
//	conns.go      how many connections there may be, and which one goes
//	guard.go      who may come in, and that no page of others may change anything
//	api.go        GET /api/targets, /api/stats and /api/history, as JSON
//	verdict.go    GET /api/compare; GET and POST /api/verdict
//	differences.go  GET /api/differences
//	printable.go  what of it comes from clients of production, without control characters
//	stats.go      the figures of a moment
//	exposition.go GET /metrics, with what each of them counts
//	comparing.go  of what was compared in those
//	notes.go      what an operator should know first, in sentences;
//	notes_*.go    of each target, and of its responses by class
//	history.go    what charts show of the last five minutes
//	tune.go       PATCH of a group or a target
//	page.go       the live page at /; page.html and page_verdict.* are all of it
//	client.go     the other end, for the commands status, tune, verdict and differences
package admin
