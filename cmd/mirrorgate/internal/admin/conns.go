package admin

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// limitedListener bounds the connections that are open, and so the descriptors:
// those of the traffic must never run out because of them. Whoever comes gets in:
// when there are too many, the connection goes that has waited longest for its
// peer, to send or to read. So peers that do neither keep nobody out.
type limitedListener struct {
	net.Listener
	most int

	mu   sync.Mutex
	open map[*clientConn]struct{}
}

// unread is how much the kernel holds of what a peer does not read, in bytes; by
// itself it would be megabytes.
const unread = 64 << 10

func limitConns(l net.Listener, most int) *limitedListener {
	return &limitedListener{Listener: l, most: most, open: make(map[*clientConn]struct{})}
}

// Accept returns the next connection, and closes another one if it has to.
func (l *limitedListener) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if tcp, ok := nc.(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(unread) // or it is what the kernel gives
	}
	now := time.Now()
	c := &clientConn{Conn: nc, listener: l, opened: now, reading: now}
	if loser := l.add(c); loser != nil {
		_ = loser.Close()
	}
	return c, nil
}

// add enters c and returns which connection has to go for it, nil if none.
func (l *limitedListener) add(c *clientConn) (loser *clientConn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.open) >= l.most {
		for other := range l.open {
			if loser == nil || other.goesBefore(loser) {
				loser = other
			}
		}
		delete(l.open, loser)
	}
	l.open[c] = struct{}{}
	return loser
}

// clientConn is a connection that knows since when it waits for its peer.
type clientConn struct {
	net.Conn
	listener *limitedListener
	opened   time.Time

	// Guarded by listener.mu. The times are zero while it does not.
	reading, writing time.Time // since when it does
	busy             bool      // a handler runs, so that a read only waits for the peer to leave
}

// waits returns since when the connection waits for its peer, zero if it does not.
func (c *clientConn) waits() time.Time {
	if c.writing.IsZero() && !c.busy {
		return c.reading
	}
	return c.writing
}

// goesBefore reports whether c has waited longer than d. Where mirrorgate itself is
// at work, with a profile, the age decides, behind all that wait.
func (c *clientConn) goesBefore(d *clientConn) bool {
	a, b := c.waits(), d.waits()
	if a.IsZero() && b.IsZero() {
		return c.opened.Before(d.opened)
	}
	return b.IsZero() || !a.IsZero() && a.Before(b)
}

// note sets one of the times, or busy.
func note[T any](c *clientConn, field *T, value T) {
	c.listener.mu.Lock()
	defer c.listener.mu.Unlock()
	*field = value
}

func (c *clientConn) Read(b []byte) (int, error) {
	note(c, &c.reading, time.Now())
	defer note(c, &c.reading, time.Time{})
	return c.Conn.Read(b)
}

func (c *clientConn) Write(b []byte) (int, error) {
	note(c, &c.writing, time.Now())
	defer note(c, &c.writing, time.Time{})
	return c.Conn.Write(b)
}

func (c *clientConn) Close() error {
	c.listener.mu.Lock()
	delete(c.listener.open, c)
	c.listener.mu.Unlock()
	return c.Conn.Close()
}

type connKey struct{}

// withConn lets marksBusy find the connection of a request.
func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// marksBusy notes when a handler runs. One that has a body yet to read still waits
// for its peer.
func marksBusy(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := r.Context().Value(connKey{}).(*clientConn)
		note(c, &c.busy, r.ContentLength == 0)
		defer note(c, &c.busy, false)
		next.ServeHTTP(w, r)
	})
}
