// Package wire decides what becomes of a mirrored request's bytes: whether it may
// be sent at all, and how it then stands on the wire in HTTP/1.1.
//
// The way of a request through the files:
//
//	rules.go        the options, made ready once: Rules
//	prepare.go      Rules.Prepare: may it be mirrored, and what of it goes out
//	fast_path.go    the header sections that nearly all requests have, eight bytes at once
//	fields.go       all other header sections, field by field
//	field_rules.go  what becomes of a field, by its name
//	grpc.go         is a message of gRPC whole
//	length.go       is the body whole, and which Content-Length is true
//	guard.go        no byte goes out where HTTP forbids it
//	append.go       Rules.Append: the request in wire format, and where is what in it
//	rewrite.go      another beginning of the path
//	trace.go        the trace that a copy belongs to
//	forwarded.go    the client's address in X-Forwarded-For
//
// Prepare reads the codec.Request once and writes nothing, so that a request that
// no target takes costs no copy; Prepared.Size then says how much room it needs,
// and Append copies it there. What differs between targets, the prefix of the path
// and Host, is put in its place by whoever sends: Layout says where that is. All else
// that differs takes Rules, and a copy, of its own.
//
// Nothing here is shared, waits or allocates: Rules never change and are safe for
// concurrent use, a Prepared belongs to one goroutine and borrows from its request.
package wire
