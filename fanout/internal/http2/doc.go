// Package http2 is the client's side of an HTTP/2 connection without the
// connection (RFC 9113): the caller hands over the bytes it read, and gets what
// happened to which request; it asks for bytes, and writes them. So it needs no
// goroutine, no lock and no buffer of its own, and nothing in it waits.
//
// The flow of a request and its response through the files:
//
//	block.go     the header block of a request: literals, no dynamic table (RFC 7541)
//	write.go     HEADERS and DATA of requests, as far as flow control allows
//	read.go      frames that came, until one of them means something to a request
//	response.go  HEADERS, DATA and RST_STREAM of one stream
//	control.go   SETTINGS, PING, GOAWAY, WINDOW_UPDATE, and floods of them
//	fields.go    what a header block of a response says: status and grpc-status
//	huffman.go   as far as that needs it
//	table.go     servers that have a dynamic table all the same
//	head.go      all of it, for callers that keep responses
//
// What they work on:
//
//	conn.go      the connection and its streams
//	frame.go     frame headers, types, settings
//	errors.go    why a connection or a stream ended
//
// Both sides go without a dynamic table: we announce SETTINGS_HEADER_TABLE_SIZE 0,
// and write literals. A request's fields are then the same bytes on every
// connection, prepared once, and a response's block needs no more than a look.
//
// A body that nobody keeps is passed over as it comes. A stream may send
// StreamWindow bytes of it; what would be more is cancelled. Streams and their
// slots belong to the Conn, a Conn to whoever has the connection at the time.
package http2
