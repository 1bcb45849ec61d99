// Package example keeps differing pairs to be looked at, in memory only, with the
// secrets masked when they are captured.
//
//	names.go   Mask: which names are those of secrets, and what stands for a value
//	header.go  masking header fields and cookies
//	query.go   masking queries and forms
//	json.go    masking JSON
//	body.go    what is kept of a body
//	store.go   Store: the first and last examples of each route and field
//
// A Mask never changes. A Store has one lock, under which nothing else happens.
package example
