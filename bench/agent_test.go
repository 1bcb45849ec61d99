package bench

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"testing"
	"time"

	"github.com/mirrorgate/mirrorgate/codec"
)

// ackAgent is the smallest agent: it responds to the HELLO and acknowledges. What
// it does besides is what one test needs.
type ackAgent struct {
	stall           time.Duration // before it reads the first NOTIFY
	frameSize       uint64        // what it announces; 0: what HAProxy does
	muteHello       bool
	muteAck         bool
	doubleAck       bool
	oneByOne        bool // it does not announce pipelining, and hangs up on it
	disconnectAfter int  // frames; 0: never
	hangUpAfter     int  // frames; 0: never
}

// start serves until the test ends and returns the address.
func (a ackAgent) start(tb testing.TB) string {
	tb.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { ln.Close() })
	go func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			go a.serve(nc)
		}
	}()
	return ln.Addr().String()
}

func (a ackAgent) serve(nc net.Conn) {
	defer nc.Close()
	r := bufio.NewReaderSize(nc, 64<<10)
	var out []byte
	for n := 1; ; n++ {
		f, err := nextFrame(r)
		if err != nil || n == a.hangUpAfter || a.oneByOne && r.Buffered() > 0 {
			return
		}
		if n == 2 {
			time.Sleep(a.stall)
		}
		out = a.reply(out, f)
		if n == a.disconnectAfter {
			nc.Write(codec.AppendAgentDisconnect(out, codec.StatusResource))
			io.Copy(io.Discard, nc)
			return
		}
		if r.Buffered() == 0 {
			if _, err := nc.Write(out); err != nil {
				return
			}
			out = out[:0]
		}
	}
}

// nextFrame has no payload of use: it dies at once.
func nextFrame(r *bufio.Reader) (f codec.Frame, err error) {
	head, err := r.Peek(codec.LenSize)
	if err != nil {
		return f, err
	}
	size := codec.LenSize + int(codec.FrameLen(head))
	b, err := r.Peek(size)
	if err != nil {
		return f, err
	}
	if f, err = codec.ParseFrame(b[codec.LenSize:]); err != nil {
		return f, err
	}
	_, err = r.Discard(size)
	return f, err
}

func (a ackAgent) reply(out []byte, f codec.Frame) []byte {
	switch {
	case f.Type == codec.FrameHAProxyHello && a.muteHello, f.Type == codec.FrameNotify && a.muteAck:
		return out
	case f.Type == codec.FrameHAProxyHello:
		h, _ := codec.ParseHello(f)
		if a.frameSize > 0 {
			h.MaxFrameSize = a.frameSize
		}
		hello := codec.AppendAgentHello(out, h.MaxFrameSize)
		if a.oneByOne {
			// Names have their length in front: one of the same that nobody knows.
			hello = bytes.Replace(hello, []byte("pipelining"), []byte("other-word"), 1)
		}
		return hello
	}
	if a.doubleAck {
		out = codec.AppendAck(out, f.StreamID, f.FrameID)
	}
	return codec.AppendAck(out, f.StreamID, f.FrameID)
}
