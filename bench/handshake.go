package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/mirrorgate/mirrorgate/codec"
)

const (
	// helloTimeout bounds connecting and the handshake.
	helloTimeout = 5 * time.Second
	// defaultFrameSize in bytes is what HAProxy announces with its default buffer.
	defaultFrameSize = 16380
)

// dial connects as the n-th connection of the load and shakes hands, within
// helloTimeout.
func dial(ctx context.Context, addr string, l Load, n int) (*conn, error) {
	ctx, cancel := context.WithTimeout(ctx, helloTimeout)
	defer cancel()
	network, address := splitNetwork(addr)
	var d net.Dialer
	if l.peers > 0 {
		d.LocalAddr = &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+n%l.peers))}
	}
	nc, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, fmt.Errorf("cannot connect to the agent: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { nc.Close() })
	defer stop()
	c := newConn(nc, l)
	if err := c.hello(l); err != nil {
		nc.Close()
		if ctx.Err() != nil {
			err = fmt.Errorf("it did not respond to the HELLO within %s", helloTimeout)
		}
		return nil, fmt.Errorf("cannot shake hands with the agent at %s: %w", addr, err)
	}
	return c, nil
}

// splitNetwork knows "unix:PATH" from "HOST:PORT".
func splitNetwork(addr string) (network, address string) {
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		return "unix", path
	}
	return "tcp", addr
}

// hello shakes hands. The connection must be closed to end a wait.
func (c *conn) hello(l Load) error {
	size := max(defaultFrameSize, uint64(c.frames.size))
	hello := codec.AppendHAProxyHello(nil, codec.Hello{
		MaxFrameSize: size, Pipelining: true, EngineID: []byte("mirrorgate-bench"),
	})
	if _, err := c.nc.Write(hello); err != nil {
		return err
	}
	f, err := c.readFrame()
	if err != nil {
		return err
	}
	if f.Type == codec.FrameAgentDisconnect {
		return disconnected(f)
	}
	limit, pipelining, err := codec.ParseAgentHello(f)
	switch {
	case err != nil:
		return err
	case uint64(c.frames.size-codec.LenSize) > limit:
		return fmt.Errorf("it takes frames of %d bytes at the most, and this load has %d", limit, c.frames.size-codec.LenSize)
	case !pipelining && l.InFlight > 1:
		return errors.New("it does not announce pipelining: measure it with 1 frame in flight (--in-flight 1)")
	}
	return nil
}

// readFrame reads one frame that nothing follows yet.
func (c *conn) readFrame() (f codec.Frame, err error) {
	if _, err := io.ReadFull(c.nc, c.in[:codec.LenSize]); err != nil {
		return f, closedEarly(err)
	}
	n := codec.FrameLen(c.in)
	if int(n) > len(c.in)-codec.LenSize {
		return f, fmt.Errorf("a frame of %d bytes is no AGENT-HELLO", n)
	}
	b := c.in[codec.LenSize:][:n]
	if _, err := io.ReadFull(c.nc, b); err != nil {
		return f, closedEarly(err)
	}
	return codec.ParseFrame(b)
}

func closedEarly(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("it closed the connection")
	}
	return err
}

func disconnected(f codec.Frame) error {
	d, err := codec.ParseDisconnect(f.Payload)
	if err != nil {
		return fmt.Errorf("it disconnected: %w", err)
	}
	return fmt.Errorf("it disconnected: %w (%q)", d.Status, d.Message)
}
