package http1

// MaxHead is how many bytes the heads of one response may have together, the
// interim ones before it (1xx) included.
const MaxHead = 64 << 10

// MaxRest bounds, in bytes, what Read may leave of a line that is not complete.
const MaxRest = 4 << 10

// Reader reads the responses that arrive on one connection, one after another.
// It keeps nothing of them but what framing needs. The zero value reads the
// response to a request that is no HEAD.
type Reader struct {
	left  int64  // the Content-Length; then bytes of the body or of the chunk that have yet to come
	taken uint32 // bytes of heads
	code  uint16 // of the status line that came last
	flags flags
	state state
}

// state is where in a response the next byte stands.
type state uint8

const (
	atStatusLine state = iota
	inField            // in the rest of a field line that says nothing of framing, or of a status line
	atField            // at a field line, or at the end of the head
	inBody
	inBodyUntilClose
	atChunkSize
	inChunkSize  // behind its first digit
	inChunkSpace // in white space
	inChunkExt
	atChunkSizeLF
	inChunk
	atChunkEnd
	atChunkEndLF
	atTrailer // at a trailer field line, or at the end of the response
	inTrailer
	atLastLF
	done
)

// flags are what the request and the fields read so far say of a response.
type flags uint16

const (
	isHead    flags = 1 << iota // it answers a HEAD request
	http10                      // its version is HTTP/1.0
	closes                      // Connection: close; behind the head: no other response can follow
	keepAlive                   // Connection: keep-alive
	hasLength                   // Content-Length
	badLength                   // Content-Length, not readable or several
	hasCoding                   // Transfer-Encoding
	isChunked                   // the last coding of Transfer-Encoding is chunked

	lacksColon // inField: none has come yet

	// What a folded line continues.
	foldsConnection
	foldsFraming
)

// Start begins the next response. head says that it answers a HEAD request: it
// has no body then (RFC 9112 section 6.3).
func (r *Reader) Start(head bool) {
	*r = Reader{}
	if head {
		r.flags = isHead
	}
}

// Read takes from b what belongs to the current response and returns how many
// bytes it took, never any behind its end. Of a line of a head that matters it
// takes all or nothing: what it leaves must be given again with more behind it,
// and is shorter than MaxRest. Of all else it takes what is there. b stays the
// caller's.
//
// err is a *[ProtocolError]; the connection is of no use then.
func (r *Reader) Read(b []byte) (n int, err error) {
	if r.state <= atField {
		if n, err = r.readHead(b); err != nil {
			return n, err
		}
	}
	switch {
	case r.state == inBody:
		return n + r.skip(b[n:]), nil
	case r.state == inBodyUntilClose:
		return len(b), nil
	case r.state >= atChunkSize && r.state < done:
		taken, err := r.readChunks(b[n:])
		return n + taken, err
	}
	return n, nil
}

// Code returns the status code of the final response, 100 to 999. It is 0 until
// the head of that is complete; interim responses (1xx but 101) are passed over.
func (r *Reader) Code() int {
	if r.state <= atField {
		return 0
	}
	return int(r.code)
}

// Done reports whether the response is complete.
func (r *Reader) Done() bool { return r.state == done }

// Started reports whether Read took anything of the response, or of an interim
// one before it.
func (r *Reader) Started() bool { return r.taken > 0 }

// UntilClose reports whether the body ends with the connection, which is its
// proper end then. Such a response is never done.
func (r *Reader) UntilClose() bool { return r.state == inBodyUntilClose }

// Close reports whether no other response can follow on the connection: behind
// Connection: close, HTTP/1.0 without keep-alive, a body that ends with the
// connection, 101, Transfer-Encoding beside Content-Length or in HTTP/1.0 (RFC
// 9112 sections 6.1 and 9.6). False until the head is complete.
func (r *Reader) Close() bool { return r.state > atField && r.flags&closes != 0 }

// BodyLeft returns how many bytes of the body have yet to come, -1 if that is
// not known: before the end of the head, in chunks, or if the body ends with
// the connection.
func (r *Reader) BodyLeft() int64 {
	switch r.state {
	case inBody:
		return r.left
	case done:
		return 0
	}
	return -1
}
