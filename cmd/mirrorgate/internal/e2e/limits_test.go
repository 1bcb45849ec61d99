package e2e

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/mirrorgate/mirrorgate/codec"
)

// spopConn is a connection to an agent that behaves as a test wants.
func (a *agent) spopConn() net.Conn {
	a.t.Helper()
	conn, err := net.Dial("tcp", a.spop)
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	return conn
}

// awaitRefused waits until one connection was refused for the reason.
func (a *agent) awaitRefused(reason string) {
	a.t.Helper()
	eventually(a.t, "a connection is refused: "+reason, func() bool {
		_, page := a.get("/metrics")
		return strings.Contains(page, `mirrorgate_spop_connections_refused_total{reason="`+reason+`"} 1`+"\n")
	})
}

// The options that keep HAProxy's side in bounds do what they say.
func TestLimits(t *testing.T) {
	f := func(reason string, options ...string) *agent {
		t.Helper()
		a := startAgent(t, append([]string{"--target", "http://127.0.0.1:1"}, options...)...)
		refused := a.spopConn()
		if reason == "full" {
			if got := a.shakeHands(); got != 1000 {
				t.Errorf("the frame size agreed on is %d, want 1000", got)
			}
		}
		if n, err := refused.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("%v: the agent says %d bytes, %v, want the end", options, n, err)
		}
		a.awaitRefused(reason)
		return a
	}
	f("allow", "--allow", "192.0.2.0/24", "--allow", "2001:db8::/32")
	f("handshake", "--handshake-timeout", "10ms")
	f("full", "--max-conns", "1", "--max-frame-size", "1000", "--handshake-timeout", "1h")

	code, _, stderr := mirrorgate(t, nil, "--target", "http://127.0.0.1:1", "--listen", "127.0.0.1:0", "--admin=", "--max-conns", "1000000000")
	if want := "mirrorgate: --listen: cannot serve 1000000000 connections with at most"; code != exitUsage || !strings.HasPrefix(stderr, want) {
		t.Errorf("exit code %d and %s, want %d and %s", code, stderr, exitUsage, want)
	}
}

// shakeHands returns the frame size that a new connection agrees on.
func (a *agent) shakeHands() uint64 {
	a.t.Helper()
	conn := a.spopConn()
	_, err := conn.Write(codec.AppendHAProxyHello(nil, codec.Hello{MaxFrameSize: 16380, Pipelining: true}))
	head := make([]byte, codec.LenSize)
	if err == nil {
		_, err = io.ReadFull(conn, head)
	}
	body := make([]byte, codec.FrameLen(head))
	if err == nil {
		_, err = io.ReadFull(conn, body)
	}
	if err != nil {
		a.t.Fatal(err)
	}
	frame, err := codec.ParseFrame(body)
	if err != nil {
		a.t.Fatal(err)
	}
	size, _, err := codec.ParseAgentHello(frame)
	if err != nil {
		a.t.Fatal(err)
	}
	return size
}
