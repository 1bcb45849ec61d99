// Package recordings shows what is in a recording.
//
//	filter.go   which of its requests are wanted: by route and status
//	request.go  a request in its parts, with the secrets masked
//	list.go     a line for each request; the requests themselves
//	har.go      as a HAR file; curl.go as commands of curl
//	stat.go     how many there are, by time, route and status
//
// It is pure but for the random key of the masks: nothing runs on its own.
package recordings
