package bench

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/mirrorgate/mirrorgate/codec"
)

// The stream-ids of the generator are those whose varint has four bytes, so
// that a frame built beforehand gets a new id without moving.
const (
	firstStreamID = 264432
	streamIDs     = 1 << 25
	streamIDSize  = 4
	streamIDAt    = codec.LenSize + 5 // behind type and flags
)

// frames is a row of equal NOTIFY frames, whole and ready to be written; only
// their stream-ids are filled in as they go.
type frames struct {
	bytes []byte
	size  int // bytes of one
	count int
}

// maxRow bounds the bytes of one row, and so of one write.
const maxRow = 256 << 10

// newFrames builds a row of at most n frames.
func newFrames(l Load, n int) frames {
	one := notify(l)
	n = max(1, min(n, maxRow/len(one)))
	return frames{bytes: bytes.Repeat(one, n), size: len(one), count: n}
}

// stamp gives the i-th frame of the row the n-th stream-id.
func (f *frames) stamp(i int, n uint64) {
	at := i*f.size + streamIDAt
	codec.AppendUvarint(f.bytes[at:at:at+streamIDSize], streamID(n))
}

// first returns the bytes of the first n frames.
func (f *frames) first(n int) []byte { return f.bytes[:n*f.size] }

func streamID(n uint64) uint64 { return firstStreamID + n%streamIDs }

// notify builds the frame that HAProxy would send for one request.
func notify(l Load) []byte {
	if l.frame != nil {
		return l.frame
	}
	r := codec.Request{
		Method: []byte("GET"), Target: []byte("/catalogue/items?page=2&sort=price"), Version: []byte("1.1"),
		Headers: codec.Headers{Raw: headers(l)}, BodySize: -1,
	}
	if l.Body > 0 {
		r.Method = []byte("POST")
		r.Body = bytes.Repeat([]byte("0123456789abcdef"), l.Body/16+1)[:l.Body]
	}
	return codec.AppendNotify(nil, firstStreamID, 1, r)
}

var browserHeaders = [][2]string{
	{"host", "shop.example.com"},
	{"user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"},
	{"accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"},
	{"accept-language", "en-US,en;q=0.5"},
	{"accept-encoding", "gzip, deflate, br"},
	{"referer", "https://shop.example.com/catalogue"},
	{"cookie", "session=0123456789abcdef; theme=dark"},
	{"cache-control", "max-age=0"},
}

// headerValue is that of invented fields: 100 fields have 8 kB, as in requests with
// much tracing and many cookies.
const headerValue = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef012345"

// headers are the first l.Headers of a browser's and then invented ones; a body
// brings its length with it, as one more.
func headers(l Load) []byte {
	var raw []byte
	for i := range l.Headers {
		switch {
		case i >= len(browserHeaders):
			raw = codec.AppendHeader(raw, "x-bench-"+strconv.Itoa(i+1), headerValue)
		case browserHeaders[i][0] == "cookie" && l.cookie > 0:
			raw = appendCookie(raw, l)
		default:
			raw = codec.AppendHeader(raw, browserHeaders[i][0], browserHeaders[i][1])
		}
	}
	if l.Body > 0 {
		raw = codec.AppendHeader(raw, "content-length", strconv.Itoa(l.Body))
	}
	return codec.AppendHeadersEnd(raw)
}

// appendCookie appends l.cookie bytes of cookie, in as many fields as asked for.
func appendCookie(raw []byte, l Load) []byte {
	fields := max(1, l.cookieFields)
	for range fields {
		raw = codec.AppendHeader(raw, "cookie", strings.Repeat("c", l.cookie/fields))
	}
	return raw
}
