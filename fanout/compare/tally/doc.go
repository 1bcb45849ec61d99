// Package tally counts what comparing found, by route, layer and field. All of it
// are sums, so that tallies of several hosts add up to that of one.
//
//	tally.go      Tally: pairs go in, a Summary comes out; which routes get a slot
//	route.go      what is counted of one route
//	field.go      what is counted of one field, with the noise beside it
//	histogram.go  latencies, in buckets of 2 %
//	summary.go    Summary: the JSON form, and how two become one
//
// A Tally has one lock, under which nothing but counting happens; it has no clock
// and starts nothing. A Summary belongs to whoever has it.
package tally
