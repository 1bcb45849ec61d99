// Package route names the route of a request: its method and its path, with the
// segments folded that name one thing of many.
//
//	fold.go     numbers, UUIDs, hex and long random segments become {id}
//	pattern.go  routes that the user names: 'GET /api/shops/*/orders'
//	name.go     Namer: the pattern that matches first, else the folded path
//
// Nothing here waits or is shared. Which routes get a slot of their own is decided
// by package tally, which counts them.
package route
