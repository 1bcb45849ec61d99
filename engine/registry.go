package engine

import (
	"container/list"
	"net"
	"net/netip"
	"sync"
	"time"
)

// registry knows the connections that are open, and the hosts that they come
// from. Loops add and remove them; everybody else finds them here and then asks
// their loop to do something.
type registry struct {
	budget *budget
	gone   sync.WaitGroup // the connections

	mu       sync.Mutex
	conns    map[*conn]struct{}
	hosts    map[netip.Addr]*host
	closable list.List // of *conn, oldest first: what may be closed to make room
}

// init makes r ready for use by connections that share b.
func (r *registry) init(b *budget) {
	r.budget, r.conns, r.hosts = b, make(map[*conn]struct{}), make(map[netip.Addr]*host)
}

// add enters a connection and returns its host, which its session is to have. It
// may be closed to make room until it has shaken hands.
func (r *registry) add(c *conn, now time.Duration) *host {
	r.gone.Add(1)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.conns[c] = struct{}{}
	r.pushClosable(c, now)
	addr := addrOf(c.peer)
	h := r.hosts[addr]
	if h == nil {
		h = &host{addr: addr, budget: r.budget}
		r.hosts[addr] = h
	}
	h.conns++
	c.unused = h.unused.PushBack(c)
	return h
}

// addrOf returns the address that a host is known by: the zero Addr if it is
// this one, on a unix socket.
func addrOf(peer net.Addr) netip.Addr {
	tcp, ok := peer.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return tcp.AddrPort().Addr().Unmap()
}

// remove forgets a connection that is closed.
func (r *registry) remove(c *conn) {
	h := c.session.host
	r.mu.Lock()
	delete(r.conns, c)
	r.dropClosable(c)
	h.dropUnused(c)
	if h.conns--; h.conns == 0 {
		delete(r.hosts, h.addr)
	}
	r.mu.Unlock()
	r.gone.Done()
}

// markReady notes that a connection shook hands: it is not closed to make room.
func (r *registry) markReady(c *conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dropClosable(c)
}

// markUsed notes that a connection sent its first NOTIFY.
func (r *registry) markUsed(c *conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c.session.host.dropUnused(c)
}

// markClosable notes that a connection only waits for its peer to close.
func (r *registry) markClosable(c *conn, now time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pushClosable(c, now)
	c.session.host.dropUnused(c)
}

// oldestClosable returns the connection that has been closable for longest, and
// not again, or nil if none has been so since before.
func (r *registry) oldestClosable(before time.Duration) *conn {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.closable.Front()
	if e == nil || e.Value.(*conn).closableSince > before {
		return nil
	}
	c := e.Value.(*conn)
	r.dropClosable(c)
	return c
}

// connsOf returns how many connections a host has.
func (r *registry) connsOf(addr netip.Addr) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if h := r.hosts[addr]; h != nil {
		return h.conns
	}
	return 0
}

// overShare returns a connection that has to go, and not again, for another one
// from the address newcomer to come in where there may be most of them: of the
// host that has the most, and more than an equal share, the oldest that never sent
// a NOTIFY. It is nil if there is none, and if newcomer, with those that will be
// let in soon, has its own share already.
func (r *registry) overShare(newcomer netip.Addr, soon, most int) *conn {
	r.mu.Lock()
	defer r.mu.Unlock()
	hosts, own := len(r.hosts), soon
	if h := r.hosts[newcomer]; h != nil {
		own += h.conns
	} else {
		hosts++
	}
	share := max(most/hosts, 1)
	if own >= share {
		return nil
	}
	var largest *host
	for addr, h := range r.hosts {
		if addr.IsValid() && h.conns > share && h.unused.Len() > 0 && (largest == nil || h.conns > largest.conns) {
			largest = h
		}
	}
	if largest == nil {
		return nil
	}
	c := largest.unused.Front().Value.(*conn)
	largest.dropUnused(c)
	return c
}

// deadlines returns the connections whose deadline has passed, and whether any
// other has one.
func (r *registry) deadlines(now time.Duration) (late []*conn, more bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.conns {
		if c.overdue(now) {
			late = append(late, c)
		} else if c.deadline.Load() != 0 {
			more = true
		}
	}
	return late, more
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

func (r *registry) pushClosable(c *conn, now time.Duration) {
	if c.closable == nil {
		c.closable, c.closableSince = r.closable.PushBack(c), now
	}
}

func (r *registry) dropClosable(c *conn) {
	if c.closable != nil {
		r.closable.Remove(c.closable)
		c.closable = nil
	}
}

func (h *host) dropUnused(c *conn) {
	if c.unused != nil {
		h.unused.Remove(c.unused)
		c.unused = nil
	}
}
