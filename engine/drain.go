package engine

import (
	"context"
	"time"

	"github.com/mirrorgate/mirrorgate/codec"
)

const (
	// quietTime without a NOTIFY means that HAProxy has taken the traffic away.
	quietTime = time.Second
	quietPoll = 50 * time.Millisecond
)

// Drain makes HAProxy's health checks fail, so that it opens no connection any
// more, and goes on serving meanwhile. It returns when nothing came for a
// second, when no connection is left, or when ctx ends; at once if no health
// check was ever seen, for then HAProxy would not notice. Under steady traffic
// it is ctx that ends it: HAProxy goes on using the connections that it has.
func (s *Server) Drain(ctx context.Context) {
	s.policy.draining.Store(true)
	if s.policy.checked.Load() {
		awaitQuiet(ctx, s.registry.len, s.counters.frames[kindNotify].Get)
	}
}

func awaitQuiet(ctx context.Context, conns func() int, notifies func() uint64) {
	ticker := time.NewTicker(quietPoll)
	defer ticker.Stop()
	last, since := notifies(), time.Now()
	for conns() > 0 && time.Since(since) < quietTime {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		if n := notifies(); n != last {
			last, since = n, time.Now()
		}
	}
}

// Close stops the server: nothing is accepted any more, every connection is
// told, what was read before is acknowledged and submitted, and what comes
// after is ignored. Peers have until ctx ends to close, a second at most.
// No Submit is running, and none will come, when Close returns. It must be
// called once.
func (s *Server) Close(ctx context.Context) {
	close(s.stop)
	for _, ln := range s.listeners {
		_ = ln.Close()
	}
	s.background.Wait()
	for _, c := range s.registry.all() {
		c.onLoop(func() { s.disconnect(c, codec.StatusNormal) })
	}
	gone := make(chan struct{})
	go func() {
		s.registry.gone.Wait()
		close(gone)
	}()
	ctx, cancel := context.WithTimeout(ctx, closeTime)
	defer cancel()
	select {
	case <-gone:
	case <-ctx.Done():
	}
	_ = s.client.Stop() // closes what is left
	<-gone
}

// disconnect ends a connection, on its loop. One that is waiting for our HELLO is
// closed without a word: HAProxy 3.1 and later would not take a DISCONNECT there,
// and keep its request waiting.
func (s *Server) disconnect(c *conn, status codec.Status) {
	switch c.session.state {
	case stateHello:
		c.close()
	case stateReady:
		w := acquireWake()
		w.sent = status
		c.session.disconnect(status, w)
		if s.reply(c, w) {
			c.close()
		}
		s.submit(w)
	}
}
