package compare

import "time"

// Response is what one target made of a request. Its slices are borrowed for the
// time of a call.
type Response struct {
	Status int
	// Header has the field lines as HTTP/1.1 writes them, each ended by CRLF or LF,
	// without the status line, and behind them those of the trailers.
	Header []byte
	// Body is what was kept of the body, whole if it has Length bytes.
	Body []byte
	// Hash is xxhash64 of the whole body, and Length its length in bytes. Both are
	// only known if Complete.
	Hash     uint64
	Length   int64
	Complete bool // the body was read to its end
	// Error is the kind of failure if there was no response: timeout, reset, protocol
	// or tls. All but Duration is empty then.
	Error string
	// Authority is the target's own, host:port: in Location it reads {self}.
	Authority []byte
	Duration  time.Duration
}

// kept reports whether all of the body is there to be looked into.
func (r *Response) kept() bool { return r.Complete && int64(len(r.Body)) == r.Length }
