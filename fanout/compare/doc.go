// Package compare says in what two responses to the same request differ: in layers,
// and field by field. It is pure: no socket, no clock, no goroutine; who pairs the
// responses is no concern of it.
//
// The way of a pair through the files:
//
//	response.go  what one target made of the request
//	budget.go    whether the pair is to be explained, decided before it is looked at
//	comparer.go  Comparer.Pair: status, header, body; the first that differs names the result
//	ignore.go    what the user wants not to count
//	header.go    header fields: which count, and how
//	body.go      bodies: by hash, then by kind
//	decode.go    content codings are taken off
//	json.go      JSON, field by field; number.go by decimal value
//	form.go      forms, key by key
//	field.go     the names of what differs: Result, Kind, Field
//
// The rooms below it, in the order of the data flow:
//
//	route        which route a request belongs to
//	tally        counts by route and field, which add up over hosts
//	verdict      what the counts say: alike, differs, or not yet
//	example      differing pairs that are kept to be looked at, secrets masked
//
// A Comparer belongs to one goroutine; an Ignore never changes; a Budget has a lock
// of its own, under which nothing else happens. Most pairs are equal, and cost no
// more than comparing their header sections and hashes.
package compare
