// Package haproxy runs the haproxy on PATH as a child, for the demo, the bench and
// tests: process.go starts, reloads and ends it, reserve.go finds it a port, socket.go
// asks it, output.go keeps what it says,
// version.go tells which one it is.
//
// The version is chosen by PATH. .ci/haproxy fetches those of Debian's suites:
//
//	PATH=$(.ci/haproxy trixie):$PATH go test -run HAProxy ./cmd/mirrorgate
package haproxy
