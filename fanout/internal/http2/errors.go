package http2

import "fmt"

// ErrCode is an error code of RFC 9113 section 7.
type ErrCode uint32

// The codes.
const (
	NoError ErrCode = iota
	ProtocolError
	InternalError
	FlowControlError
	SettingsTimeout
	StreamClosed
	FrameSizeError
	RefusedStream
	Cancel
	CompressionError
	ConnectError
	EnhanceYourCalm
	InadequateSecurity
	HTTP11Required
)

var codeNames = [...]string{
	"NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT",
	"STREAM_CLOSED", "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR",
	"CONNECT_ERROR", "ENHANCE_YOUR_CALM", "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
}

// String returns the name that RFC 9113 uses.
func (c ErrCode) String() string {
	if int(c) < len(codeNames) {
		return codeNames[c]
	}
	return fmt.Sprintf("error code %d", uint32(c))
}

// ConnError says why a connection is of no use any more: the peer broke the
// protocol. Code is what it is told in GOAWAY.
type ConnError struct {
	Code   ErrCode
	reason string
}

func (e *ConnError) Error() string { return "invalid HTTP/2: " + e.reason }

// The errors of [Conn.Read].
var (
	ErrNotHTTP2       = &ConnError{ProtocolError, "the target speaks HTTP/1.1, not HTTP/2"}
	ErrNoSettings     = &ConnError{ProtocolError, "the first frame is not SETTINGS"}
	ErrFrameSize      = &ConnError{FrameSizeError, "a frame has a length that its type does not allow"}
	ErrFrameOrder     = &ConnError{ProtocolError, "a header block is interrupted, or continued where none is open"}
	ErrStreamID       = &ConnError{ProtocolError, "a frame is on a stream that it does not belong to"}
	ErrPadding        = &ConnError{ProtocolError, "a frame is padded by more than it holds"}
	ErrPush           = &ConnError{ProtocolError, "PUSH_PROMISE though SETTINGS_ENABLE_PUSH is 0"}
	ErrSetting        = &ConnError{ProtocolError, "a setting has a value that is not allowed"}
	ErrWindow         = &ConnError{FlowControlError, "a flow-control window is larger than allowed"}
	ErrIncrement      = &ConnError{ProtocolError, "WINDOW_UPDATE of 0 on the connection"}
	ErrFlowControl    = &ConnError{FlowControlError, "more DATA than the window of the connection allows"}
	ErrCompression    = &ConnError{CompressionError, "a header block cannot be decoded"}
	ErrDynamicTable   = &ConnError{CompressionError, "a header block uses a dynamic table though SETTINGS_HEADER_TABLE_SIZE is 0"}
	ErrHeaderTooLarge = &ConnError{EnhanceYourCalm, "a header block is longer than 64 KiB"}
	ErrFlood          = &ConnError{EnhanceYourCalm, "a flood of frames that serve no request"}
)
