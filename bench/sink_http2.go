package bench

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// http2Preface is what an HTTP/2 connection begins with (RFC 9113 section 3.4).
const http2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

const (
	http2Header     = 9 // bytes in front of a frame's payload
	http2Headers    = 1 // DATA is 0
	http2Settings   = 4
	http2EndStream  = 1
	http2EndHeaders = 4
	http2Ack        = 1
)

// http2Scanner finds the ends of requests among frames, however they are cut. It
// knows of a request no more than that.
type http2Scanner struct {
	head   [http2Header]byte
	have   int    // bytes of head
	skip   int    // bytes of payload, or of the preface, that have yet to come
	stream uint32 // whose end is behind them; 0: none
	out    []byte // what has to be sent
}

// newHTTP2Scanner begins a connection: with many streams, and windows that need no
// updates.
func newHTTP2Scanner() *http2Scanner {
	s := &http2Scanner{skip: len(http2Preface)}
	s.frame(12, http2Settings, 0, 0)
	s.setting(3, 1<<20) // SETTINGS_MAX_CONCURRENT_STREAMS
	s.setting(4, 1<<24) // SETTINGS_INITIAL_WINDOW_SIZE
	s.frame(4, 8, 0, 0) // WINDOW_UPDATE
	s.out = binary.BigEndian.AppendUint32(s.out, 1<<30)
	s.frame(0, http2Settings, http2Ack, 0)
	return s
}

func (s *http2Scanner) frame(length int, kind, flags byte, stream uint32) {
	s.out = append(s.out, byte(length>>16), byte(length>>8), byte(length), kind, flags)
	s.out = binary.BigEndian.AppendUint32(s.out, stream)
}

func (s *http2Scanner) setting(id uint16, value uint32) {
	s.out = binary.BigEndian.AppendUint16(s.out, id)
	s.out = binary.BigEndian.AppendUint32(s.out, value)
}

// feed takes bytes and returns how many requests end in them. The response to each
// is in out then.
func (s *http2Scanner) feed(b []byte) (requests int) {
	for len(b) > 0 {
		if s.skip > 0 {
			n := min(s.skip, len(b))
			b = b[n:]
			s.skip -= n
		} else {
			n := copy(s.head[s.have:], b)
			b = b[n:]
			if s.have += n; s.have < http2Header {
				return requests
			}
			s.have = 0
			s.skip = int(s.head[0])<<16 | int(s.head[1])<<8 | int(s.head[2])
			if kind := s.head[3]; kind <= http2Headers && s.head[4]&http2EndStream != 0 {
				s.stream = binary.BigEndian.Uint32(s.head[5:])
			}
		}
		if s.skip == 0 && s.stream != 0 {
			requests++
			s.respond()
			s.stream = 0
		}
	}
	return requests
}

// respond appends what okResponse is in HTTP/2.
func (s *http2Scanner) respond() {
	const block = "\x88\x0f\x0d\x010" // fields 8 and 28 of RFC 7541 appendix A
	s.frame(len(block), http2Headers, http2EndStream|http2EndHeaders, s.stream)
	s.out = append(s.out, block...)
}

// speaksHTTP2 reports whether a connection begins so.
func speaksHTTP2(b []byte) bool { return bytes.HasPrefix(b, []byte(http2Preface)) }

// serveHTTP2 serves a connection that begins with the first n bytes of buf.
func (c *sinkConn) serveHTTP2(buf []byte, n int) {
	s := c.sink
	if s.mode != SinkOK {
		err := fmt.Errorf("it speaks HTTP/2, which is for sinks of the mode %s", SinkOK)
		s.failed.CompareAndSwap(nil, &err)
		return
	}
	in := newHTTP2Scanner()
	for {
		s.bytes.Add(uint64(n))
		s.requests.Add(uint64(in.feed(buf[:n])))
		c.out, in.out = in.out, c.out[:0]
		if !c.flush() {
			return
		}
		var err error
		if n, err = c.nc.Read(buf); err != nil {
			return
		}
	}
}
