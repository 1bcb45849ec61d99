package http1

// ProtocolError says why bytes are no response. What stands behind them on
// their connection can not be told apart any more.
type ProtocolError struct{ reason string }

func (e *ProtocolError) Error() string { return "invalid response: " + e.reason }

// The errors of [Reader.Read].
var (
	ErrStatusLine    = &ProtocolError{"it does not start with a status line of HTTP/1.x"}
	ErrHeadTooLong   = &ProtocolError{"its head is longer than 64 KiB"}
	ErrFieldLine     = &ProtocolError{"a field line has no colon"}
	ErrFramingField  = &ProtocolError{"Content-Length or Transfer-Encoding is folded, or has white space before the colon"}
	ErrContentLength = &ProtocolError{"Content-Length is no number, or there are several"}
	ErrChunk         = &ProtocolError{"a chunk has no readable size, or does not end where it should"}
)
