package wire

import (
	"bytes"
	"encoding/binary"
)

// grpcType is how the Content-Type of gRPC begins ("gRPC over HTTP2", Requests).
var grpcType = []byte("application/grpc")

// isGRPC reports whether a Content-Type is that of gRPC: application/grpc, perhaps
// with +proto or parameters. That of gRPC-Web is another one.
func isGRPC(value []byte) bool {
	if len(value) < len(grpcType) || !bytes.EqualFold(value[:len(grpcType)], grpcType) {
		return false
	}
	rest := value[len(grpcType):]
	return len(rest) == 0 || rest[0] == '+' || rest[0] == ';' || rest[0] == ' '
}

// acceptsTrailers reports whether a value of TE has "trailers" in it, all of it
// that HTTP/2 allows (RFC 9113 section 8.2.2).
func acceptsTrailers(value []byte) bool {
	for len(value) > 0 {
		var coding []byte
		coding, value, _ = bytes.Cut(value, comma)
		if EqualFold(bytes.Trim(coding, " \t"), "trailers") {
			return true
		}
	}
	return false
}

// messagePrefix is how many bytes stand in front of a message of gRPC: whether it
// is compressed, and its length ("gRPC over HTTP2", Length-Prefixed-Message).
const messagePrefix = 5

// judgeMessage decides by the length of the first message whether the body is whole,
// which is exact where HTTP declares no length. False: there is more than one, so
// it is a stream, of which nobody knows how it goes on.
func (p *Prepared) judgeMessage() bool {
	body := p.Request.Body
	if len(body) < messagePrefix {
		p.truncated = true
		return true
	}
	whole := messagePrefix + uint64(binary.BigEndian.Uint32(body[1:]))
	if uint64(len(body)) > whole {
		return false
	}
	p.truncated = uint64(len(body)) < whole || p.hasLength && p.truncated
	return true
}
