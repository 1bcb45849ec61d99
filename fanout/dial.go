package fanout

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"time"

	"github.com/valyala/fasthttp"
	"golang.org/x/sys/unix"
)

// readBuffer is the size in bytes of a lane's buffer, so also of the longest
// header section of an answer.
const readBuffer = 64 << 10

// newClient makes the pool that a target's lanes get their connections from.
// The dialer is our own: fasthttp's default one is shared, speaks IPv4 only and
// keeps addresses for a minute.
func newClient(t *target) *fasthttp.HostClient {
	u := t.cfg.URL
	port := u.Port()
	if port == "" {
		port = "80"
		if u.Scheme == "https" {
			port = "443"
		}
	}
	if source := t.f.cfg.Source; source.IsValid() {
		t.dialer.LocalAddr = &net.TCPAddr{IP: source.AsSlice(), Zone: source.Zone()}
	}
	return &fasthttp.HostClient{
		Addr:        net.JoinHostPort(u.Hostname(), port),
		IsTLS:       u.Scheme == "https",
		TLSConfig:   t.f.cfg.TLS,
		DialTimeout: t.dial,
		MaxConns:    t.cfg.Conns,
		// Without it the TLS handshake would be left to the first request.
		WriteTimeout: t.cfg.Timeout,
	}
}

// dialError tells a failed connect from a failed TLS handshake.
type dialError struct{ error }

func (e dialError) Unwrap() error { return e.error }

func (t *target) dial(addr string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(t.aborting, timeout)
	defer cancel()
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	conn, err := t.connect(ctx, port)
	if err != nil {
		return nil, dialError{err}
	}
	t.metrics.opened.Inc()
	return &abortableConn{Conn: conn, stop: context.AfterFunc(t.aborting, func() { conn.Close() })}, nil
}

// abortableConn is closed when its target is aborted, even in the middle of a
// TLS handshake.
type abortableConn struct {
	net.Conn
	stop func() bool
}

func (c *abortableConn) Close() error {
	c.stop()
	return c.Conn.Close()
}

// dialDrop returns the reason for dropping what waited for a connection that
// could not be made.
func dialDrop(err error) dropReason {
	if errors.As(err, new(dialError)) {
		return dropDial
	}
	return dropTLS
}

// unwrap returns the connection to read from and write to, and the socket
// below it. A plain connection is both, so that writev reaches it.
func unwrap(conn net.Conn) (stream net.Conn, socket *net.TCPConn) {
	if c, ok := conn.(*abortableConn); ok {
		return c.Conn, c.Conn.(*net.TCPConn)
	}
	return conn, conn.(*tls.Conn).NetConn().(*abortableConn).Conn.(*net.TCPConn)
}

// quiet reports whether nothing came on an idle connection: neither the end nor
// bytes that no request asked for. The deadline of the last answer, which may
// have passed, does not matter to it.
func quiet(socket *net.TCPConn) bool {
	raw, err := socket.SyscallConn()
	if err != nil {
		return false
	}
	alive := false
	err = raw.Control(func(fd uintptr) {
		var b [1]byte
		_, _, err := unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		alive = err == unix.EAGAIN
	})
	return err == nil && alive
}
