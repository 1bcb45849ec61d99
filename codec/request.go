package codec

import (
	"errors"
	"net/netip"
)

// The arguments of a mirror message, as HAProxy documents them for its own
// mirror agent, and optional ones: ArgBodySize (req.body_size), and those of
// response.go.
const (
	ArgMethod   = "arg_method"
	ArgPath     = "arg_path"
	ArgVersion  = "arg_ver"
	ArgHeaders  = "arg_hdrs"
	ArgBody     = "arg_body"
	ArgBodySize = "arg_body_size"
)

// RejectReason says why a request is not mirrored at all. The zero value means that
// nothing speaks against it.
type RejectReason uint8

// The reasons, in the words of the metrics.
const (
	RejectNone       RejectReason = iota
	RejectMalformed               // not decodable, or no valid HTTP request
	RejectTruncated               // HAProxy did not send the whole body
	RejectNoBody                  // it declares a body, and the message has no argument for one
	RejectGRPCStream              // it is a stream of gRPC, of which more than one message came
	RejectLoop                    // was mirrored by us before
	RejectConnect                 // CONNECT opens a tunnel, there is nothing to mirror
	RejectOversize                // more than HAProxy can send, or than there is memory for
	RejectAborted                 // HAProxy gave it up half-way
)

// Rejects lists the reasons above without RejectNone.
var Rejects = []RejectReason{
	RejectMalformed, RejectTruncated, RejectNoBody, RejectGRPCStream, RejectLoop, RejectConnect, RejectOversize, RejectAborted,
}

// String returns the word that the metrics use.
func (r RejectReason) String() string {
	return [...]string{"", "malformed", "truncated", "no_body", "grpc_stream", "loop", "connect", "oversize", "aborted"}[r]
}

// Request is a borrowed view of one mirrored HTTP request: every slice points
// into the frame that it was decoded from and dies with that. Nothing in it is
// validated as HTTP.
type Request struct {
	Method  []byte
	Target  []byte // request target in whatever form HAProxy sent, see ParseTarget
	Version []byte // "1.1"; empty if HAProxy sent none
	Headers Headers
	Body    []byte // nil if HAProxy sent none, as NULL or not at all

	// NoBody says that the message has no arg_body: HAProxy is not to send bodies.
	NoBody bool
	// BodySize is arg_body_size in bytes, negative if HAProxy sent none.
	BodySize int64
	// Source is the client's address (arg_src); not valid if HAProxy sent none.
	Source netip.Addr
	// Production is the response that production gave, if HAProxy mirrors after it.
	Production ProductionResponse
	// Full says that the frame is as long as HAProxy's buffer lets it be, so that
	// a body without a declared length may have been cut.
	Full bool
	// Reject is set on a request that could not be decoded; the rest is then
	// empty. Such a request is still submitted, so that it is counted.
	Reject RejectReason
}

// emptyRequest is that of a message without any argument.
var emptyRequest = Request{BodySize: -1, NoBody: true}

var errArgType = errors.New("argument has the wrong type")

// AppendRequests decodes the payload of a NOTIFY and appends to dst a Request
// for each message that carries a method or a path, whatever the message's
// name. others is the number of messages that carry neither. On an error
// nothing is appended: a NOTIFY is taken whole or not at all. The error is
// ErrOversize if it holds more than MaxMessages, MaxFields or MaxHeaderBytes.
func AppendRequests(dst []Request, payload []byte) (reqs []Request, others int, err error) {
	start, headerBytes := len(dst), 0
	for len(payload) > 0 {
		_, args, n, err := ParseMessage(payload)
		if err != nil {
			return dst[:start], 0, err
		}
		payload = payload[n:]
		dst = append(dst, emptyRequest)
		r := &dst[len(dst)-1]
		n, mirror := decodeFast(r, payload, args)
		if !mirror {
			*r = emptyRequest
			if mirror, n, err = decodeArgs(r, payload, args); err != nil {
				return dst[:start], 0, err
			}
		}
		payload = payload[n:]
		headerBytes += len(r.Headers.Raw)
		if !mirror {
			dst = dst[:len(dst)-1]
			others++
		}
		if len(dst)-start+others > MaxMessages || headerBytes > MaxHeaderBytes {
			return dst[:start], 0, ErrOversize
		}
	}
	if headerBytes > MaxFields*shortestField && tooManyFields(dst[start:]) {
		return dst[:start], 0, ErrOversize
	}
	return dst, others, nil
}

// The names of the documented arguments with their types, as they stand in a
// message whose arguments are in the documented order.
const (
	fastMethod   = "\x0a" + ArgMethod + "\x08"
	fastPath     = "\x08" + ArgPath + "\x08"
	fastVersion  = "\x07" + ArgVersion + "\x08"
	fastHeaders  = "\x08" + ArgHeaders + "\x09"
	fastBody     = "\x08" + ArgBody + "\x09"
	fastBodySize = "\x0d" + ArgBodySize + "\x04"
)

// decodeFast is the fast path of decodeArgs, for a message that starts as HAProxy
// documents it: nearly all do, and comparing the names as they should come takes
// a quarter of the time, the more so as constants in this place are compared by
// words. It reports whether the message was one; if not, r may be partly filled.
func decodeFast(r *Request, b []byte, args int) (n int, ok bool) {
	if args < 4 {
		return 0, false
	}
	size := len(b)
	if len(b) < len(fastMethod) || string(b[:len(fastMethod)]) != fastMethod {
		return 0, false
	}
	if r.Method, b, ok = short(b[len(fastMethod):]); !ok {
		return 0, false
	}
	if len(b) < len(fastPath) || string(b[:len(fastPath)]) != fastPath {
		return 0, false
	}
	if r.Target, b, ok = anyLength(b[len(fastPath):]); !ok {
		return 0, false
	}
	if len(b) < len(fastVersion) || string(b[:len(fastVersion)]) != fastVersion {
		return 0, false
	}
	if r.Version, b, ok = short(b[len(fastVersion):]); !ok {
		return 0, false
	}
	if len(b) < len(fastHeaders) || string(b[:len(fastHeaders)]) != fastHeaders {
		return 0, false
	}
	if r.Headers.Raw, b, ok = anyLength(b[len(fastHeaders):]); !ok {
		return 0, false
	}
	args -= 4
	if args > 0 && len(b) >= len(fastBody) && string(b[:len(fastBody)]) == fastBody {
		if r.Body, b, ok = anyLength(b[len(fastBody):]); !ok {
			return 0, false
		}
		r.NoBody = false
		args--
	}
	if args > 0 && len(b) >= len(fastBodySize) && string(b[:len(fastBodySize)]) == fastBodySize {
		b = b[len(fastBodySize):]
		v, n, err := Uvarint(b)
		if err != nil {
			return 0, false
		}
		r.BodySize, b = int64(v), b[n:]
		args--
	}
	for range args {
		name, v, n, err := ParseArg(b)
		if err != nil {
			return 0, false
		}
		if _, right := r.set(name, v); !right {
			return 0, false // one of those above again
		}
		b = b[n:]
	}
	return size - len(b), true
}

// short reads the string that b starts with, if its length is one byte.
func short(b []byte) (value, rest []byte, ok bool) {
	if len(b) == 0 || b[0] >= 240 || int(b[0]) >= len(b) {
		return nil, nil, false
	}
	n := 1 + int(b[0])
	return b[1:n:n], b[n:], true
}

// anyLength reads the string or binary that b starts with.
func anyLength(b []byte) (value, rest []byte, ok bool) {
	if value, rest, ok = short(b); ok {
		return value, rest, true
	}
	value, n, err := String(b)
	if err != nil {
		return nil, nil, false
	}
	return value, b[n:], true
}

// decodeArgs fills r from the arguments that b starts with and returns whether
// a method or a path was among them, and the number of bytes read. A repeated
// argument replaces the one before it.
func decodeArgs(r *Request, b []byte, args int) (mirror bool, n int, err error) {
	size := len(b)
	wrong := false
	for range args {
		name, v, n, err := ParseArg(b)
		if err != nil {
			return false, 0, err
		}
		b = b[n:]
		decisive, right := r.set(name, v)
		mirror = mirror || decisive
		wrong = wrong || !right
	}
	if wrong && mirror {
		return false, 0, errArgType
	}
	return mirror, size - len(b), nil
}

// set takes an argument. decisive says that it makes a message one to mirror,
// right that its type is one that it may have.
func (r *Request) set(name []byte, v Value) (decisive, right bool) {
	isNull, isText := v.Type == TypeNull, v.Type == TypeString
	switch string(name) {
	case ArgMethod:
		r.Method = v.Bytes
		return true, isText || isNull
	case ArgPath:
		r.Target = v.Bytes
		return true, isText || isNull
	case ArgVersion:
		r.Version = v.Bytes
		return false, isText || isNull
	case ArgHeaders:
		r.Headers = Headers{Raw: v.Bytes, Text: isText}
		return false, isText || isNull || v.Type == TypeBinary
	case ArgBody:
		r.Body, r.NoBody = v.Bytes, false
		return false, isText || isNull || v.Type == TypeBinary
	case ArgBodySize:
		if v.Type.isInt() {
			r.BodySize = int64(v.Int)
		}
	case ArgStatus, ArgTime, ArgID:
		r.Production.set(name, v)
	case ArgSource:
		r.Source = address(v)
	}
	return false, true
}
