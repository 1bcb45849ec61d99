// Package difference shows an example of how a target differs from its reference:
// what a person looks at, or a tool imports.
//
//	difference.go  Difference: an example with all that is made of it
//	rows.go        both responses side by side, line by line
//	json.go        two JSON bodies, member by member
//	har.go         examples as an HTTP archive
//
// Secrets were masked when the example was captured.
package difference
