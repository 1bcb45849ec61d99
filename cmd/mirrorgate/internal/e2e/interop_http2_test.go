package e2e

import (
	"bytes"
	"net"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// sendHeaders sends one HTTP/2 request of just these fields, pseudo-fields among
// them, as no library would, and waits until the stream is answered or refused.
// An open request has no end: what follows would be a tunnel.
func sendHeaders(t *testing.T, addr string, open bool, fields ...string) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for i := 0; i < len(fields); i += 2 {
		_ = encoder.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]}) // to memory
	}
	if _, err := conn.Write([]byte(http2.ClientPreface)); err != nil {
		t.Fatal(err)
	}
	f := http2.NewFramer(conn, conn)
	if err := f.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	if err := f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes(), EndStream: !open, EndHeaders: true}); err != nil {
		t.Fatal(err)
	}
	for {
		frame, err := f.ReadFrame()
		if err != nil {
			t.Fatalf("no response to %q: %v", fields, err)
		}
		switch frame := frame.(type) {
		case *http2.HeadersFrame:
			return
		case *http2.RSTStreamFrame, *http2.GoAwayFrame:
			t.Fatalf("HAProxy refuses %q: %v", fields, frame)
		}
	}
}

func TestHAProxyHTTP2Connect(t *testing.T) {
	s := newSemantics(t, sizedSPOE)
	s.rejected("CONNECT", func(t *testing.T) {
		t.Helper()
		sendHeaders(t, s.addr, true, ":method", "CONNECT", ":authority", "h2.example.com:443")
	}, "connect")
	s.exactlyOnce()
}
