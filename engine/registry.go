package engine

import (
	"container/list"
	"sync"
	"time"
)

// registry knows the connections that are open. Loops add and remove them;
// everybody else finds them here and then asks their loop to do something.
type registry struct {
	mu    sync.Mutex
	conns map[*conn]struct{}
	spare list.List // of *conn, oldest first: what may be closed to make room
	gone  sync.WaitGroup
}

// add enters a connection that has yet to shake hands: until then it is spare.
func (r *registry) add(c *conn, now time.Duration) {
	r.gone.Add(1)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.conns[c] = struct{}{}
	r.pushSpare(c, now)
}

// remove forgets a connection that is closed.
func (r *registry) remove(c *conn) {
	r.mu.Lock()
	delete(r.conns, c)
	r.dropSpare(c)
	r.mu.Unlock()
	r.gone.Done()
}

// settle keeps a connection that shook hands from being closed to make room.
func (r *registry) settle(c *conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dropSpare(c)
}

// dismiss makes a connection spare that only waits for its peer to close.
func (r *registry) dismiss(c *conn, now time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pushSpare(c, now)
}

// takeSpare returns the connection that has been spare for longest, and not
// again, or nil if none has been so since before.
func (r *registry) takeSpare(before time.Duration) *conn {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.spare.Front()
	if e == nil || e.Value.(*conn).spareSince > before {
		return nil
	}
	c := e.Value.(*conn)
	r.dropSpare(c)
	return c
}

// overdue returns the connections whose deadline has passed.
func (r *registry) overdue(now time.Duration) (late []*conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.conns {
		if c.overdue(now) {
			late = append(late, c)
		}
	}
	return late
}

func (r *registry) all() []*conn {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]*conn, 0, len(r.conns))
	for c := range r.conns {
		all = append(all, c)
	}
	return all
}

func (r *registry) len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.conns)
}

func (r *registry) pushSpare(c *conn, now time.Duration) {
	if c.spare == nil {
		c.spare, c.spareSince = r.spare.PushBack(c), now
	}
}

func (r *registry) dropSpare(c *conn) {
	if c.spare != nil {
		r.spare.Remove(c.spare)
		c.spare = nil
	}
}
