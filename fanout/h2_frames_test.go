package fanout

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// frameConn is a connection of a target that a test plays itself, frame by frame.
type frameConn struct {
	*rawConn
	*http2.Framer
	block bytes.Buffer
	enc   *hpack.Encoder
	open  map[uint32]string // requests whose end has not come
	end   bool
}

// listenFrames starts a target that speaks HTTP/2 without TLS. It has announced
// settings when play is called.
func listenFrames(t testing.TB, settings []http2.Setting, play func(c *frameConn)) *rawTarget {
	t.Helper()
	rt := listen(t, func(raw *rawConn) {
		c := &frameConn{rawConn: raw, Framer: http2.NewFramer(raw, raw.in), open: map[uint32]string{}}
		c.ReadMetaHeaders = hpack.NewDecoder(0, nil)
		c.enc = hpack.NewEncoder(&c.block)
		c.enc.SetMaxDynamicTableSize(0)
		preface := make([]byte, len(http2.ClientPreface))
		if _, err := raw.in.Read(preface); err != nil || string(preface) != http2.ClientPreface {
			return
		}
		c.WriteSettings(settings...)
		play(c)
	})
	rt.url = strings.Replace(rt.url, "http:", "h2c:", 1)
	return rt
}

// next returns the next request whose end came, as "GET /path 123", the number is
// that of bytes of its body; 0 and "" at the end of the connection.
func (c *frameConn) next() (stream uint32, request string) {
	for {
		f, err := c.ReadFrame()
		if err != nil {
			c.end = true
			return 0, ""
		}
		id, ended := f.Header().StreamID, false
		switch f := f.(type) {
		case *http2.MetaHeadersFrame:
			c.open[id] = f.PseudoValue("method") + " " + f.PseudoValue("path") + " 0"
			ended = f.StreamEnded()
		case *http2.DataFrame:
			line, n := c.open[id], 0
			at := strings.LastIndexByte(line, ' ') + 1
			fmt.Sscan(line[at:], &n)
			c.open[id] = fmt.Sprint(line[:at], n+len(f.Data()))
			ended = f.StreamEnded()
			if n := uint32(len(f.Data())); n > 0 {
				c.WriteWindowUpdate(0, n)
				if !ended {
					c.WriteWindowUpdate(id, n)
				}
			}
		case *http2.SettingsFrame:
			if !f.IsAck() {
				c.WriteSettingsAck()
			}
		}
		if ended {
			request = c.open[id]
			delete(c.open, id)
			c.to.mu.Lock()
			c.to.seen = append(c.to.seen, request)
			c.to.mu.Unlock()
			return id, request
		}
	}
}

// headers sends a header block of "name: value" fields.
func (c *frameConn) headers(stream uint32, end bool, fields ...string) {
	c.block.Reset()
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		c.enc.WriteField(hpack.HeaderField{Name: name, Value: value})
	}
	c.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: c.block.Bytes(), EndStream: end, EndHeaders: true})
}

// serve responds to each request with 200 and a body.
func (c *frameConn) serve() {
	for id, _ := c.next(); id != 0; id, _ = c.next() {
		c.headers(id, false, ":status: 200")
		c.WriteData(id, true, []byte("ok"))
	}
}
