package e2e

import (
	"bytes"
	"net"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/mirrorgate/mirrorgate/cmd/internal/haproxy"
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
			t.Fatalf("no answer to %q: %v", fields, err)
		}
		switch frame := frame.(type) {
		case *http2.HeadersFrame:
			return
		case *http2.RSTStreamFrame, *http2.GoAwayFrame:
			t.Fatalf("HAProxy refuses %q: %v", fields, frame)
		}
	}
}

// Requests as only HTTP/2 has them arrive as HTTP/1.1 knows them.
func TestHAProxyHTTP2(t *testing.T) {
	s := newSemantics(t, sizedSPOE)
	h2 := func(fields ...string) func(t *testing.T) {
		return func(t *testing.T) {
			t.Helper()
			sendHeaders(t, s.addr, false, fields...)
		}
	}
	const host = "host: h2.example.com"
	star := "*"
	if proxyVersion == (haproxy.Version{Major: 3}) {
		star = "/" // so it comes to the origin, too
	}
	s.arrives("another scheme", h2(":method", "GET", ":scheme", "https", ":authority", "h2.example.com:8443", ":path", "/a//b?c=http://d"),
		"GET /a//b?c=http://d HTTP/1.1", "host: h2.example.com:8443", "")
	s.arrives("OPTIONS *", h2(":method", "OPTIONS", ":scheme", "http", ":authority", "h2.example.com", ":path", "*"),
		"OPTIONS "+star+" HTTP/1.1", host, "")
	s.arrives("folded cookies", h2(":method", "GET", ":scheme", "http", ":authority", "h2.example.com", ":path", "/",
		"cookie", "a=1", "x", "y", "cookie", "b=2", "cookie", "c=3"),
		"GET / HTTP/1.1", host+"\nx: y\ncookie: a=1; b=2; c=3", "")
	s.arrives("Host instead of an authority", h2(":method", "GET", ":scheme", "http", ":path", "/p", "host", "h2.example.com"),
		"GET /p HTTP/1.1", host, "")
	s.arrives("neither Host nor authority", h2(":method", "GET", ":scheme", "http", ":path", "/p", "x", "y"),
		"GET /p HTTP/1.1", "host: "+s.target.addr()+"\nx: y", "")
	s.arrives("TE", h2(":method", "GET", ":scheme", "http", ":authority", "h2.example.com", ":path", "/", "te", "trailers"),
		"GET / HTTP/1.1", host, "")
	s.arrives("websocket", func(t *testing.T) {
		t.Helper()
		sendHeaders(t, s.addr, true, ":method", "CONNECT", ":protocol", "websocket", ":scheme", "http", ":authority", "h2.example.com",
			":path", "/chat", "sec-websocket-version", "13", "x", "y")
	}, "GET /chat HTTP/1.1", host+"\nsec-websocket-version: 13\nx: y", "")
	s.rejected("CONNECT", func(t *testing.T) {
		t.Helper()
		sendHeaders(t, s.addr, true, ":method", "CONNECT", ":authority", "h2.example.com:443")
	}, "connect")
	s.exactlyOnce()
}
