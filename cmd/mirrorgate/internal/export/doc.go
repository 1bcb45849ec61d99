// Package export writes requests as other tools read them: those of examples and of
// recordings, whose secrets are masked before they come here.
//
//	request.go  what is written
//	curl.go     as a command of curl
//	har.go      as an HTTP archive
//
// It is pure: nothing runs on its own.
package export
