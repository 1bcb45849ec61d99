// Package e2e tests mirrorgate from outside: the binary as users run it, with a
// real HAProxy in front and real servers behind. It holds nothing but tests.
//
// What the tests are made of:
//
//	main_test.go      builds the binary once, with the race detector and counting what it covers
//	agent_test.go     a running mirrorgate
//	proxy_test.go     HAProxy in front of it; interop_*_test.go have more kinds of it
//	traffic_test.go   the clients of production
//	wire_cases_test.go  requests as clients may send them; matrix_test.go sends all through each configuration
//	recorder_test.go  an HTTP server that keeps what it gets: the origin, or a target
//	fault_test.go     what goes wrong under load; fault_*_test.go are the faults, the reference lists them
//	browser_test.go   a browser that shows the live page
//	servers_test.go   servers that people have, as targets: make test-servers; servers_*_test.go go with it
//	versions_test.go  an application in several versions, to be compared; verdict_faults_test.go
//	                  plants faults in one: make test-verdict
//
// All other files are tests of one matter each, by their name. readme_*_test.go
// hold README and the reference to what the binary does.
package e2e
