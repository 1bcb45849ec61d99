// Package demo shows mirrorgate at work on one machine: traffic through HAProxy,
// with mirroring and without, to an origin and three targets, and at the end a
// table of what all of them counted.
//
//	demo.go     the play, with HAProxy or without
//	stage.go    what is behind HAProxy: the origin, mirrorgate, the targets
//	shop.go     the application, old and new
//	haproxy.go  HAProxy in front of it
//	traffic.go  the clients of production
//	table.go    what is shown at the end, and whether it adds up
package demo
