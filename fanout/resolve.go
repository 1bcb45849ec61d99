package fanout

import (
	"context"
	"fmt"
	"math"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// resolveRetry is the longest time until a lookup that failed is tried again.
const resolveRetry = int64(5 * time.Second)

// addresses are those of a target's host: looked up when the first connection is
// made, and from then on again and again, in time for none to be used for longer
// than ttl after its name has left it.
type addresses struct {
	host    string
	network string // ip, or ip4 or ip6 if the local address is one
	lookup  func(ctx context.Context, network, host string) ([]netip.Addr, error)
	ttl     int64 // nanoseconds; 0: they stay

	first   sync.Mutex                   // held for the first lookup
	set     atomic.Pointer[[]netip.Addr] // in order; nil until they are known
	next    atomic.Uint32                // whose turn it is
	again   atomic.Int64                 // when to look them up again; underWay: somebody does
	failing atomic.Bool                  // the last lookup failed
}

func newAddresses(cfg *Config, host string) *addresses {
	a := &addresses{host: host, network: "ip", ttl: int64(cfg.DNSTTL)}
	if cfg.Source.Is4() {
		a.network = "ip4"
	} else if cfg.Source.Is6() {
		a.network = "ip6"
	}
	a.again.Store(math.MaxInt64)
	if addr, err := netip.ParseAddr(host); err == nil {
		a.set.Store(&[]netip.Addr{addr})
	}
	resolver := cfg.Resolver
	if resolver == nil {
		resolver = net.DefaultResolver
	}
	a.lookup = resolver.LookupNetIP
	return a
}

// resolved returns the addresses, and looks them up if they are not known.
func (t *target) resolved(ctx context.Context) ([]netip.Addr, error) {
	a := t.addresses
	if set := a.set.Load(); set != nil {
		return *set, nil
	}
	a.first.Lock()
	defer a.first.Unlock()
	if set := a.set.Load(); set != nil {
		return *set, nil
	}
	set, err := a.resolve(ctx)
	if err != nil {
		return nil, err
	}
	a.set.Store(&set)
	a.keepFor(t.now(), a.ttl)
	return set, nil
}

func (a *addresses) resolve(ctx context.Context) ([]netip.Addr, error) {
	found, err := a.lookup(ctx, a.network, a.host)
	if err != nil {
		return nil, err
	}
	for i := range found {
		found[i] = found[i].Unmap()
	}
	slices.SortFunc(found, netip.Addr.Compare)
	if found = slices.Compact(found); len(found) == 0 {
		return nil, fmt.Errorf("cannot resolve %s: it has no address", a.host)
	}
	return found, nil
}

// keepFor says when the addresses are looked up again. The tick that does it may
// be late by its own length.
func (a *addresses) keepFor(now, time int64) {
	if a.ttl > 0 {
		a.again.Store(now + max(0, time-int64(tickEvery)))
	}
}

// refresh looks the addresses up again. Connections to those that are gone end:
// at once if they are idle, else behind the batch that is in flight. A resolver
// that fails changes nothing.
func (t *target) refresh() {
	a := t.addresses
	ctx, cancel := context.WithTimeout(t.aborting, t.cfg.Timeout)
	defer cancel()
	set, err := a.resolve(ctx)
	if err != nil {
		a.keepFor(t.now(), min(a.ttl, resolveRetry))
		if t.aborting.Err() == nil && !a.failing.Swap(true) {
			t.log.Warn("cannot resolve the target's host: keeping its last addresses", "target", t.cfg.Name,
				"host", a.host, "addresses", *a.set.Load(), "error", err)
		}
		return
	}
	if a.failing.Swap(false) {
		t.log.Info("the target's host is resolved again", "target", t.cfg.Name, "host", a.host, "addresses", set)
	}
	if old := *a.set.Load(); !slices.Equal(old, set) {
		a.set.Store(&set)
		t.log.Info("the target's host has moved", "target", t.cfg.Name, "host", a.host, "from", old, "to", set)
		t.leaveOld(set)
	}
	a.keepFor(t.now(), a.ttl)
}

// leaveOld closes the idle connections that go to none of the addresses.
func (t *target) leaveOld(set []netip.Addr) {
	t.mu.Lock()
	old := t.removeIdle(func(c *conn) bool { return !slices.Contains(set, c.addr) })
	t.mu.Unlock()
	for _, c := range old {
		c.close()
	}
}

// resolveAgain starts a lookup if it is time for one. t.mu is held.
func (t *target) resolveAgain(now int64) {
	if again := t.addresses.again.Load(); now >= again && !t.draining {
		t.addresses.again.Store(underWay)
		t.running.Go(t.refresh)
	}
}

// connect connects to one address after the other until one works, each time
// beginning with the next one, so that connections spread over all. No address
// can use up the time of those behind it.
func (t *target) connect(ctx context.Context, port string) (net.Conn, error) {
	if t.cfg.URL.Scheme == schemeUnix {
		return new(net.Dialer).DialContext(ctx, "unix", t.cfg.URL.Path)
	}
	set, err := t.resolved(ctx)
	if err != nil {
		return nil, err
	}
	first := int(t.addresses.next.Add(1) % uint32(len(set)))
	for i := range set {
		addr := set[(first+i)%len(set)]
		var conn net.Conn
		if conn, err = t.connectTo(ctx, net.JoinHostPort(addr.String(), port), len(set)-i); err == nil {
			return conn, nil
		}
	}
	return nil, err
}

func (t *target) connectTo(ctx context.Context, addr string, share int) (net.Conn, error) {
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(deadline)/time.Duration(share))
		defer cancel()
	}
	return t.dialer.DialContext(ctx, "tcp", addr)
}
