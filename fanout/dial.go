package fanout

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"

	"github.com/valyala/fasthttp"
)

// newClient makes the pool that a target's connections come from: it dials,
// shakes hands over TLS, and closes. Who uses a connection, and when, is decided
// here. The dialer is our own: fasthttp's default one is shared, speaks IPv4 only
// and keeps addresses for a minute.
func newClient(t *target) *fasthttp.HostClient {
	u := t.cfg.URL
	port := u.Port()
	if port == "" {
		port = "80"
		if u.Scheme == "https" {
			port = "443"
		}
	}
	if source := t.options.Source; source.IsValid() {
		t.dialer.LocalAddr = &net.TCPAddr{IP: source.AsSlice(), Zone: source.Zone()}
	}
	c := &fasthttp.HostClient{
		Addr:        net.JoinHostPort(t.cfg.address(), port),
		IsTLS:       u.Scheme == "https",
		DialTimeout: t.dial,
		MaxConns:    2 * t.cfg.Conns, // those that are about to be closed have a place, too
		// Without it the TLS handshake would be left to the first request.
		WriteTimeout: t.cfg.Timeout,
	}
	if c.IsTLS {
		c.TLSConfig = tlsConfig(cmp.Or(t.cfg.TLS, t.options.TLS), t.cfg.HTTP)
		c.TLSConfig.ServerName = t.cfg.ServerName
	}
	return c
}

// tlsConfig returns the TLS of a target's connections: one record for each write
// of up to 16 KiB, and sessions that are resumed.
func tlsConfig(base *tls.Config, version HTTPVersion) *tls.Config {
	cfg := &tls.Config{}
	if base != nil {
		cfg = base.Clone()
	}
	cfg.DynamicRecordSizingDisabled = true
	cfg.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	cfg.NextProtos = version.offers()
	return cfg
}

// schemeUnix is the scheme of a URL whose path is that of a unix socket.
const schemeUnix = "unix"

// loopback stands for the address of a unix socket, which has none.
var loopback = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// address returns what is looked up for the target, in vain for a unix socket.
func (t *TargetConfig) address() string {
	if t.URL.Scheme == schemeUnix {
		return loopback.String()
	}
	return t.URL.Hostname()
}

// dialError tells a failed connect from a failed TLS handshake.
type dialError struct{ error }

func (e dialError) Unwrap() error { return e.error }

// dial connects, for the pool.
func (t *target) dial(addr string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(t.aborting, timeout)
	defer cancel()
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	nc, err := t.connect(ctx, port)
	if err != nil {
		return nil, dialError{err}
	}
	s, err := newSocket(t.common, nc.(streamConn), context.AfterFunc(t.aborting, func() { nc.Close() }))
	if err != nil {
		nc.Close()
		return nil, dialError{err}
	}
	t.metrics.opened.Inc()
	return s, nil
}

// mayOpen reports whether one more connection may be opened: of those that are
// under way there are as many as have stood before, and without room in memory
// there is only the first. t.mu is held.
func (t *target) mayOpen() bool {
	return t.open < t.cfg.Conns && t.dialing < t.dialLimit &&
		(t.open == 0 || t.memory.fits(t.connectionBytes()))
}

// connectionBytes is what a connection of the target counts in the memory limit.
func (t *target) connectionBytes() int64 {
	n := int64(plainConnection)
	if t.client.IsTLS {
		n = tlsConnection
	}
	if t.mayMultiplex() {
		n += t.streamBytes()
	}
	return n
}

// newConn returns a connection that has yet to be opened. t.mu is held.
func (t *target) newConn() *conn {
	t.dialing++
	if t.open++; t.open > 1 {
		t.memory.connections.Add(t.connectionBytes())
	}
	return &conn{t: t}
}

// forgetConn gives the place of a connection back. t.mu is held.
func (t *target) forgetConn() {
	if t.open--; t.open > 0 {
		t.memory.connections.Add(-t.connectionBytes())
	}
}

// openConns opens the connections that the worker's share lacks, each in a
// goroutine that goes on as a worker.
func (w *worker) openConns() {
	for i, c := range w.opening {
		opener := newWorker(w.t)
		w.t.running.Go(func() {
			switch {
			case !opener.open(c):
			case c.http2:
				opener.multiplex(c)
			default:
				opener.sendTo(c)
				turnBuffers.release(&opener.buf)
				opener.await(c)
			}
			opener.run()
		})
		w.opening[i] = nil
	}
	w.opening = w.opening[:0]
}

// open opens c. If that fails, its requests are dropped.
func (w *worker) open(c *conn) bool {
	t := w.t
	c.start = t.now()
	// The second argument keeps fasthttp from starting its own cleaner, which
	// would outlive the pool.
	cc, err := t.client.AcquireConn(t.cfg.Timeout, true)
	t.processors.acquire()
	if err != nil {
		w.notOpened(c, err)
		return false
	}
	c.release = func() { t.client.CloseConn(cc) }
	if s, ok := cc.Conn().(*socket); ok {
		c.stream, c.socket = s, s
	} else {
		over := cc.Conn().(*tls.Conn)
		c.stream, c.socket = over, over.NetConn().(*socket)
	}
	c.socket.waits = false
	c.addr = loopback
	if addr, ok := c.socket.RemoteAddr().(*net.TCPAddr); ok {
		c.addr = addr.AddrPort().Addr().Unmap()
	}
	if err := c.agreed(); err != nil {
		c.release()
		w.notOpened(c, err)
		return false
	}
	t.mu.Lock()
	t.dialing--
	t.speaks(c.http2)
	t.dialLimit = min(2*t.dialLimit, t.cfg.Conns)
	if c.http2 {
		t.http2.room += promised
	}
	next := t.nextWorker(t.now())
	t.mu.Unlock()
	next.rouse()
	turnBuffers.acquire(&w.buf)
	return true
}

// notOpened drops the requests that there is no connection for.
func (w *worker) notOpened(c *conn, err error) {
	t := w.t
	reason := dropDial
	switch {
	case t.aborting.Err() != nil:
		reason = t.drainReason
	case !errors.As(err, new(dialError)):
		reason, err = dropTLS, explainTLS(err, t.cfg.HTTP)
	}
	for i := range c.batch {
		w.results.drop(&c.batch[i], reason)
	}
	w.probed = c.probe
	t.mu.Lock()
	t.dialing--
	t.dialLimit = 1
	t.forgetConn()
	t.pipelining.disconnected()
	t.mu.Unlock()
	if t.aborting.Err() == nil {
		t.failures.note(t, reason.String(), err)
		t.failed(err, c.start)
	}
	w.report()
}

// explainTLS says what a failed handshake means where it does not say so itself.
func explainTLS(err error, version HTTPVersion) error {
	const noApplicationProtocol = tls.AlertError(120) // RFC 7301 section 3.2
	var op *net.OpError
	if errors.As(err, &op) && op.Err != nil && op.Err.Error() == noApplicationProtocol.Error() {
		return fmt.Errorf("%s: %w", version.refused(), err)
	}
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("the target closed the connection during the handshake: %w", err)
	}
	return err
}
