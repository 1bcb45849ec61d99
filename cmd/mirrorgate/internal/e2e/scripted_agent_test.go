package e2e

import (
	"bufio"
	"io"
	"net"
	"testing"

	"github.com/mirrorgate/mirrorgate/codec"
)

// startScriptedAgent runs an agent until the test ends that answers health checks,
// and does as it is told with every other frame: handle returns false to close the
// connection.
func startScriptedAgent(t *testing.T, handle func(conn net.Conn, f codec.Frame) bool) (addr string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go serveScripted(conn, handle)
		}
	}()
	return listener.Addr().String()
}

func serveScripted(conn net.Conn, handle func(conn net.Conn, f codec.Frame) bool) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	for {
		var size [codec.LenSize]byte
		if _, err := io.ReadFull(in, size[:]); err != nil {
			return
		}
		b := make([]byte, codec.FrameLen(size[:]))
		if _, err := io.ReadFull(in, b); err != nil {
			return
		}
		f, err := codec.ParseFrame(b)
		if err != nil {
			return
		}
		if f.Type == codec.FrameHAProxyHello {
			if hello, err := codec.ParseHello(f); err == nil && hello.HealthCheck {
				greet(conn, f)
				continue
			}
		}
		if !handle(conn, f) {
			return
		}
	}
}

// greet answers a HELLO as mirrorgate does.
func greet(conn net.Conn, f codec.Frame) bool {
	hello, err := codec.ParseHello(f)
	if err != nil {
		return false
	}
	size := hello.MaxFrameSize
	if hello.HealthCheck {
		size = codec.MinMaxFrameSize
	}
	_, err = conn.Write(codec.AppendAgentHello(nil, size))
	return err == nil
}

// heldAgent is an agent that acknowledges nothing before it is let go.
type heldAgent struct {
	addr     string
	notified chan struct{} // gets one for each NOTIFY
	release  chan struct{} // closed to let it go
}

func startHeldAgent(t *testing.T) *heldAgent {
	t.Helper()
	h := &heldAgent{notified: make(chan struct{}, 100), release: make(chan struct{})}
	h.addr = startScriptedAgent(t, func(conn net.Conn, f codec.Frame) bool {
		switch f.Type {
		case codec.FrameHAProxyHello:
			return greet(conn, f)
		case codec.FrameNotify:
			h.notified <- struct{}{}
			<-h.release
			conn.Write(codec.AppendAck(nil, f.StreamID, f.FrameID))
		}
		return true
	})
	return h
}
