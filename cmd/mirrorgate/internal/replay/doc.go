// Package replay sends the requests of a recording through a fan-out again.
//
//	play.go     Player: each request at its time, or as fast as targets take them
//	request.go  a request as HAProxy would send it, from its bytes
//	pace.go     when a request is to be sent; late.go how late it was
//	when.go     the texts of times and of the speed
//	bar.go      how far it is, on a terminal
//
// A Player belongs to one goroutine, and starts none.
package replay
