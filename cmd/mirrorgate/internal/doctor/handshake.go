package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/mirrorgate/mirrorgate/codec"
)

// handshakeTime is how long an agent may take.
const handshakeTime = 2 * time.Second

// ask shakes hands with a running agent twice, as HAProxy does when it checks one
// and when it has a request. frameSize is what HAProxy would announce, in bytes.
func (x *examination) ask(ctx context.Context, at *line, address string, frameSize int64) {
	for _, check := range []bool{true, false} {
		size, pipelining, err := handshake(ctx, address, codec.Hello{
			MaxFrameSize: uint64(frameSize), Pipelining: !check, HealthCheck: check, EngineID: engineID(check),
		})
		var refused codec.Status
		switch {
		case errors.As(err, &refused) && check:
			x.bite(at, fmt.Sprintf("the agent at %s refuses health checks: %v", address, err), "if it is about to stop, wait for the next; else see its log")
		case err != nil && !errors.As(err, &refused) && speaksHTTP(ctx, address):
			x.bite(at, fmt.Sprintf("at %s listens a server of HTTP, as --admin is", address), "give the address of --listen, whose port is 12345 by default")
			return
		case err != nil:
			x.bite(at, fmt.Sprintf("no handshake with an agent at %s: %v", address, err), fmt.Sprintf("start mirrorgate --listen %s, or correct the address", address))
			return
		case int64(size) > frameSize:
			x.bite(at, fmt.Sprintf("the agent at %s asks for frames of %d bytes, more than HAProxy's %d", address, size, frameSize), "is it mirrorgate? HAProxy will not take it")
		case int64(size) < frameSize && !check: // mirrorgate responds to a check with the least, which fits every HAProxy
			x.bite(at, fmt.Sprintf("the agent at %s takes frames of %d bytes, HAProxy makes up to %d", address, size, frameSize), fmt.Sprintf("start it with --max-frame-size %d", frameSize+frameLength))
		case !pipelining:
			x.bite(at, fmt.Sprintf("the agent at %s does no pipelining", address), "is it mirrorgate? each request under way will need a connection")
		default:
			continue
		}
		return
	}
}

// speaksHTTP reports whether what listens there responds to HTTP.
func speaksHTTP(ctx context.Context, address string) bool {
	ctx, cancel := context.WithTimeout(ctx, handshakeTime)
	defer cancel()
	conn, err := dial(ctx, address)
	if err != nil {
		return false
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET /healthz HTTP/1.0\r\n\r\n")
	start := make([]byte, len("HTTP/"))
	_, err = io.ReadFull(conn, start)
	return err == nil && string(start) == "HTTP/"
}

// dial connects; whatever is done on the connection ends with ctx.
func dial(ctx context.Context, address string) (net.Conn, error) {
	network := "tcp"
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		network, address = "unix", path
	}
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	deadline, _ := ctx.Deadline()
	return conn, conn.SetDeadline(deadline)
}

func engineID(check bool) []byte {
	if check {
		return nil
	}
	return []byte("mirrorgate-doctor")
}

// handshake returns what the agent announces.
func handshake(ctx context.Context, address string, hello codec.Hello) (size uint64, pipelining bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, handshakeTime)
	defer cancel()
	conn, err := dial(ctx, address)
	if err != nil {
		return 0, false, plain(err)
	}
	defer conn.Close()
	if _, err := conn.Write(codec.AppendHAProxyHello(nil, hello)); err != nil {
		return 0, false, plain(err)
	}
	f, err := readFrame(conn)
	if err != nil {
		return 0, false, err
	}
	if f.Type == codec.FrameAgentDisconnect {
		d, err := codec.ParseDisconnect(f.Payload)
		if err != nil {
			return 0, false, err
		}
		return 0, false, d.Status
	}
	if size, pipelining, err = codec.ParseAgentHello(f); err != nil {
		return 0, false, fmt.Errorf("its HELLO is bad: %w", err)
	}
	if !hello.HealthCheck {
		conn.Write(codec.AppendHAProxyDisconnect(nil, codec.StatusNormal)) // a courtesy
	}
	return size, pipelining, nil
}

// readFrame takes a frame only if it comes in one piece: HAProxy 3.2 and later
// refuse a HELLO that does not.
func readFrame(conn net.Conn) (f codec.Frame, err error) {
	b := make([]byte, 4096)
	n, err := conn.Read(b)
	if err != nil {
		return f, plain(err)
	}
	b = b[:n]
	if n < codec.LenSize || int(codec.FrameLen(b)) > len(b)-codec.LenSize {
		return f, errors.New("its response is no HELLO in one piece")
	}
	return codec.ParseFrame(b[codec.LenSize:][:codec.FrameLen(b)])
}

// plain says what went wrong without repeating the address.
func plain(err error) error {
	var op *net.OpError
	var system *os.SyscallError
	switch {
	case errors.Is(err, io.EOF):
		return errors.New("it closes the connection")
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("it does not respond within %s", handshakeTime)
	case errors.As(err, &system):
		return system.Err
	case errors.As(err, &op):
		return op.Err
	}
	return err
}
