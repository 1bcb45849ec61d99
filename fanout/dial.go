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

const (
	// dialPause is how long no connection is tried after one that failed, at
	// first; it doubles up to maxDialPause. What comes in the meantime is dropped
	// at once: a target that is down must not cost a core.
	dialPause    = int64(100 * time.Millisecond)
	maxDialPause = int64(time.Second)
)

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
	conn, err := t.dialer.DialContext(ctx, "tcp", addr)
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

// connected notes how an attempt to connect ended, logs what changed, and
// returns the reason for dropping what waited for the connection.
func (t *target) connected(err error) dropReason {
	if err == nil {
		if t.down.Load() && t.down.CompareAndSwap(true, false) {
			t.dialAt.Store(0)
			t.f.log.Info("target is reachable again", "target", t.cfg.Name)
		}
		return dropNone
	}
	if t.aborting.Err() != nil {
		return dropShutdown
	}
	t.pauseDials()
	if t.down.CompareAndSwap(false, true) {
		t.f.log.Warn("cannot connect to target: dropping its requests until it is reachable",
			"target", t.cfg.Name, "url", t.cfg.URL.Redacted(), "error", err)
	}
	if errors.As(err, new(dialError)) {
		return dropDial
	}
	return dropTLS
}

// pauseDials keeps connections from being tried for a while. Of several that
// fail at once only the first one counts.
func (t *target) pauseDials() {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.f.now()
	if t.draining || now < t.dialAt.Load() {
		return
	}
	if !t.down.Load() {
		t.pause = 0
	}
	t.pause = min(max(2*t.pause, dialPause), maxDialPause)
	t.dialAt.Store(now + t.pause)
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
