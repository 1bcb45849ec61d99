// Package admin serves what operators look at, over HTTP on an address of its
// own, away from the traffic.
//
//	server.go     the server: its paths, from Listen to Close
//	guard.go      who may come in
package admin
