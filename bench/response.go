package bench

import (
	"fmt"
	"strings"
)

// SinkMode says how a Sink treats requests.
type SinkMode string

// The modes. All but SinkOK, SinkChunked, SinkBig and Sink5xx are faults.
const (
	SinkOK        SinkMode = "ok"         // 200 at once
	SinkDelay     SinkMode = "delay"      // 200 after a delay, one after the other on each connection
	SinkHang      SinkMode = "hang"       // never a response
	SinkReset     SinkMode = "reset"      // RST after the first request of each connection
	SinkCloseEach SinkMode = "close-each" // a response with Connection: close, then FIN
	SinkChunked   SinkMode = "chunked"    // 200 with a chunked body
	SinkBig       SinkMode = "big"        // 200 with a body of 256 KiB
	SinkFields    SinkMode = "fields"     // 200 with a head of 16,000 fields
	Sink5xx       SinkMode = "5xx"        // 503 at once
)

// SinkModes lists all modes.
var SinkModes = []SinkMode{
	SinkOK, SinkDelay, SinkHang, SinkReset, SinkCloseEach, SinkChunked, SinkBig, SinkFields, Sink5xx,
}

const (
	// okResponse is the response of SinkOK and SinkDelay.
	okResponse = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
	// badResponse is the one to what is no HTTP/1.1, before the connection ends.
	badResponse = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
	// continueResponse is the one to Expect: 100-continue, before the body.
	continueResponse = "HTTP/1.1 100 Continue\r\n\r\n"
)

const (
	bigBody = 256 << 10
	// manyFields of the shortest ones are just less than 64 KiB of head.
	manyFields = 16_000
)

// response returns head and body in this mode; no body goes with the response to
// a HEAD.
func (m SinkMode) response() (head, body string, err error) {
	switch m {
	case SinkOK, SinkDelay, SinkHang, SinkReset:
		return okResponse, "", nil
	case SinkCloseEach:
		return "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", "", nil
	case SinkChunked:
		return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", nil
	case SinkBig:
		return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", bigBody), strings.Repeat("x", bigBody), nil
	case SinkFields:
		return "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + strings.Repeat("a:\r\n", manyFields) + "\r\n", "", nil
	case Sink5xx:
		return "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", "", nil
	}
	return "", "", fmt.Errorf("unknown sink mode %q: must be one of %v", string(m), SinkModes)
}
