package probe

import (
	"context"
	"net/http"
	"time"
)

const (
	headRequests = 2
	// behindHead is how long bytes may take that should not come at all.
	behindHead = 500 * time.Millisecond
)

// head sends a HEAD, looks for bytes behind the response to it, and sends a GET on
// the same connection if there are none.
func (p *prober) head(ctx context.Context) (h Head) {
	c, err := p.open(ctx, "http/1.1")
	if err != nil {
		h.Failed = problem(err)
		return h
	}
	defer c.finish()
	c.send(request{method: http.MethodHead})
	r, err := c.receive(http.MethodHead)
	if err != nil {
		h.Failed = problem(err)
		return h
	}
	h.Status = r.status
	if h.Body = c.stray(); h.Body > 0 || r.closes {
		return h
	}
	c.send(get)
	if _, err := c.receive(http.MethodGet); err != nil {
		h.Next = problem(err)
	}
	return h
}

// stray reads what nobody asked for, and returns how many bytes that was.
func (c *conn) stray() (n int) {
	c.SetReadDeadline(time.Now().Add(min(behindHead, c.p.idleAtMost())))
	c.limited.N = responseAtMost
	buffer := make([]byte, 4096)
	for {
		k, err := c.br.Read(buffer)
		if n += k; err != nil {
			return n
		}
	}
}
