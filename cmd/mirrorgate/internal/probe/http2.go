package probe

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strconv"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// HTTP2 is whether the target speaks it: over TLS by ALPN, else to a client that
// knows beforehand (h2c, RFC 9113 section 3.3).
type HTTP2 struct {
	Spoken  bool   `json:"spoken"`
	Status  int    `json:"status,omitempty"`      // of the response to a GET
	Streams uint32 `json:"max_streams,omitempty"` // at once on one connection; 0: it does not say
	Failed  string `json:"failed,omitempty"`      // what came instead of a response, though it chose h2
}

const (
	http2Requests = 1
	framesAtMost  = 100 // that are read until the response begins
)

var errNoHTTP2Response = errors.New("no response")

// http2 sends a GET on a connection that stands, as HTTP/2.
func (c *conn) http2() (h HTTP2) {
	deadline := time.Now().Add(c.p.Timeout)
	c.SetDeadline(deadline)
	var wire bytes.Buffer
	wire.WriteString(http2.ClientPreface)
	framer := http2.NewFramer(&wire, c.br)
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	_ = framer.WriteSettings()
	_ = framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: c.p.http2Head(), EndStream: true, EndHeaders: true})
	c.p.sent.Add(1)
	if _, err := io.Copy(c, &wire); err != nil {
		h.Failed = problem(err)
		return h
	}
	if err := h.read(framer); err != nil {
		h.Failed = err.Error()
	}
	return h
}

// read takes frames until the response begins. SETTINGS come first (RFC 9113
// section 3.4).
func (h *HTTP2) read(framer *http2.Framer) error {
	for range framesAtMost {
		frame, err := framer.ReadFrame()
		if err != nil {
			return err
		}
		switch f := frame.(type) {
		case *http2.SettingsFrame:
			h.Spoken = true
			if n, ok := f.Value(http2.SettingMaxConcurrentStreams); ok {
				h.Streams = n
			}
		case *http2.MetaHeadersFrame:
			if status, err := strconv.Atoi(f.PseudoValue("status")); err == nil && status >= 200 {
				h.Status = status
				return nil
			}
		case *http2.GoAwayFrame:
			return errors.New("GOAWAY with " + f.ErrCode.String())
		case *http2.RSTStreamFrame:
			return errors.New("RST_STREAM with " + f.ErrCode.String())
		}
	}
	return errNoHTTP2Response
}

// http2Head is the header block of the GET.
func (o *Options) http2Head() []byte {
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for _, f := range [][2]string{
		{":method", "GET"}, {":scheme", o.URL.Scheme}, {":authority", o.host()}, {":path", o.target("")},
		{"user-agent", "mirrorgate-probe"}, {"accept", "*/*"}, {"x-mirrored-by", "mirrorgate"},
	} {
		_ = encoder.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]})
	}
	return block.Bytes()
}

// cleartext2 tries h2c.
func (p *prober) cleartext2(ctx context.Context) HTTP2 {
	c, err := p.open(ctx)
	if err != nil {
		return HTTP2{Failed: problem(err)}
	}
	defer c.finish()
	return c.http2()
}
