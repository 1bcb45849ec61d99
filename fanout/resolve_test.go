package fanout

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// everywhere is a target that listens on all addresses of the machine, IPv4 and
// IPv6, and knows at which of them each request came.
type everywhere struct {
	*rawTarget
	port string

	mu     sync.Mutex
	served []string
}

func listenEverywhere(t *testing.T) *everywhere {
	t.Helper()
	e := &everywhere{}
	e.rawTarget = listenOn(t, "[::]:0", func(c *rawConn) {
		addr := c.LocalAddr().(*net.TCPAddr).AddrPort().Addr().Unmap().String()
		for c.next() != "" {
			e.mu.Lock()
			e.served = append(e.served, addr)
			e.mu.Unlock()
			c.send(ok)
		}
	})
	_, e.port, _ = net.SplitHostPort(strings.TrimPrefix(e.url, "http://"))
	return e
}

// last returns where the last request came.
func (e *everywhere) last() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.served) == 0 {
		return ""
	}
	return e.served[len(e.served)-1]
}

// A name that moves is followed within the TTL, in exact time; a resolver that
// fails, or forgets the name, changes nothing.
func TestNameThatMoves(t *testing.T) {
	target := listenEverywhere(t)
	dns := newNameServer(t, "127.0.0.2")
	synctest.Test(t, func(t *testing.T) {
		var out lockedBuffer
		f := newFanout(t, func(c *Config) {
			logged(&out)(c)
			c.DNSTTL, c.Resolver = 30*time.Second, dns.resolver()
		}, "stg=http://target.test:"+target.port+",conns=1")
		arrivesAt := func(when, want string) {
			t.Helper()
			f.Submit(requests("POST / x"))
			time.Sleep(time.Duration(maxGather))
			synctest.Wait()
			if got := target.last(); got != want {
				t.Errorf("%s: the request went to %s, want %s", when, got, want)
			}
		}
		// within waits for one TTL; idleTime is as long, so that the connection stays busy.
		within := func() {
			for range 30 {
				time.Sleep(time.Second)
				f.Submit(requests("POST / x"))
			}
			synctest.Wait()
		}
		arrivesAt("at first", "127.0.0.2")
		if n := dns.asked(); n != 1 {
			t.Errorf("%d lookups for the first request", n)
		}
		dns.move("127.0.0.3")
		time.Sleep(29 * time.Second)
		arrivesAt("before the TTL is over", "127.0.0.2")
		time.Sleep(time.Second)
		synctest.Wait()
		arrivesAt("after the TTL", "127.0.0.3")
		if n := dns.asked(); n != 2 {
			t.Errorf("%d lookups in one TTL, want 2", n)
		}
		dns.fail(true)
		dns.move("127.0.0.4")
		within()
		within()
		arrivesAt("while the resolver fails", "127.0.0.3")
		dns.fail(false)
		time.Sleep(time.Duration(resolveRetry))
		arrivesAt("when the resolver is back", "127.0.0.4")
		dns.move()
		within()
		within()
		arrivesAt("when the name is gone", "127.0.0.4")
		dns.move("127.0.0.4")
		within()
		drain(t, f)
		tg := f.targets[0]
		if n := answered(tg); n != tg.metrics.selected.Get() {
			t.Error(counts(tg))
		}
		// One connection for each address, for they were kept in between.
		if n := tg.metrics.opened.Get(); n != 3 {
			t.Errorf("%d connections, want 3", n)
		}
		checkLog(t, &out, map[string]int{"keeping its last addresses": 2, "is resolved again": 2, "has moved": 2, "host=target.test": 6})
	})
}

// A connection in use ends behind its batch, an idle one at once.
func TestConnectionsOfAMovedName(t *testing.T) {
	release := make(chan struct{})
	arrived := make(chan string, 10)
	rt := listenOn(t, "0.0.0.0:0", func(c *rawConn) {
		host, _, _ := net.SplitHostPort(c.LocalAddr().String())
		for seen := c.next(); seen != ""; seen = c.next() {
			arrived <- host
			if seen == "GET /hold" {
				<-release
			}
			c.send(ok)
		}
		arrived <- "end of " + host
	})
	dns := newNameServer(t, "127.0.0.2")
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(rt.url, "http://"))
	f := newFanout(t, func(c *Config) { c.DNSTTL, c.Resolver = time.Hour, dns.resolver() }, "http://target.test:"+port+",conns=2,batch=1")
	tg := f.targets[0]
	expect := func(want string) {
		t.Helper()
		if got := <-arrived; got != want {
			t.Fatalf("the target saw %q, want %q", got, want)
		}
	}
	f.Submit(requests("GET /hold", "GET /hold"))
	expect("127.0.0.2")
	expect("127.0.0.2")
	release <- struct{}{}
	eventually(t, "an idle connection", func() bool { return tg.idleConns() == 1 })
	dns.move("127.0.0.3")
	tg.refresh()
	expect("end of 127.0.0.2")
	f.Submit(requests("GET /a"))
	expect("127.0.0.3")
	eventually(t, "its answer", func() bool { return answered(tg) == 2 })
	release <- struct{}{}
	expect("end of 127.0.0.2")
	f.Submit(requests("GET /b"))
	expect("127.0.0.3")
	drain(t, f)
	expect("end of 127.0.0.3")
	if got := counts(tg); got != "selected=4 sent=4 2xx=4" {
		t.Error(got)
	}
}

// Several addresses share the connections, and one that is dead is left to the
// others.
func TestSeveralAddresses(t *testing.T) {
	f := func(addrs []string, live, conns int, want map[string]int) {
		t.Helper()
		all := make(chan struct{})
		var mu sync.Mutex
		got, taken := map[string]int{}, 0
		listenAt := "0.0.0.0:0"
		if live == 1 {
			listenAt = addrs[0] + ":0"
		}
		rt := listenOn(t, listenAt, func(c *rawConn) {
			host, _, _ := net.SplitHostPort(c.LocalAddr().String())
			c.take(1)
			mu.Lock()
			got[host]++
			if taken++; taken == conns {
				close(all)
			}
			mu.Unlock()
			<-all
			c.send(ok)
		})
		_, port, _ := net.SplitHostPort(strings.TrimPrefix(rt.url, "http://"))
		dns := newNameServer(t, addrs...)
		fan := newFanout(t, func(c *Config) { c.Resolver = dns.resolver() }, fmt.Sprintf("http://target.test:%s,conns=%d", port, conns))
		fan.Submit(requests(slices.Repeat([]string{"GET /"}, conns)...))
		drain(t, fan)
		mu.Lock()
		defer mu.Unlock()
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%v: connections went to %v, want %v (%s)", addrs, got, want, counts(fan.targets[0]))
		}
	}
	f([]string{"127.0.0.2", "127.0.0.3", "127.0.0.4"}, 3, 6, map[string]int{"127.0.0.2": 2, "127.0.0.3": 2, "127.0.0.4": 2})
	f([]string{"127.0.0.2", "127.0.0.3"}, 1, 4, map[string]int{"127.0.0.2": 4})
}

// IPv6 works: a literal address, a name that has only that, and one that has both.
func TestIPv6(t *testing.T) {
	target := listenEverywhere(t)
	f := func(host string, addrs []string, source string, want ...string) {
		t.Helper()
		dns := newNameServer(t, addrs...)
		fan := newFanout(t, func(c *Config) {
			c.Resolver = dns.resolver()
			if source != "" {
				c.Source = netip.MustParseAddr(source)
			}
		}, "http://"+host+":"+target.port)
		fan.Submit(requests("GET /"))
		drain(t, fan)
		if got := counts(fan.targets[0]); got != "selected=1 sent=1 2xx=1" || !slices.Contains(want, target.last()) {
			t.Errorf("%s with %v: %s at %s, want %v", host, addrs, got, target.last(), want)
		}
	}
	f("[::1]", nil, "", "::1")
	f("target.test", []string{"::1"}, "", "::1")
	f("target.test", []string{"::1", "127.0.0.2"}, "", "::1", "127.0.0.2")
	// The local address says which of them can be reached.
	f("target.test", []string{"::1", "127.0.0.2"}, "::1", "::1")
	f("target.test", []string{"::1", "127.0.0.2"}, "127.0.0.1", "127.0.0.2")
}

// A name that cannot be resolved is a connection that cannot be made.
func TestNameThatDoesNotExist(t *testing.T) {
	target := listenEverywhere(t)
	dns := newNameServer(t)
	f := newFanout(t, func(c *Config) { c.Resolver = dns.resolver() }, "http://target.test:"+target.port+",conns=1")
	f.Submit(requests("GET /1"))
	eventually(t, "the drop", func() bool { return f.targets[0].metrics.dropped[dropDial].Get() == 1 })
	dns.move("127.0.0.2")
	f.Submit(requests("GET /2"))
	drain(t, f)
	if got := counts(f.targets[0]); got != "selected=2 dropped{dial}=1 sent=1 2xx=1" {
		t.Error(got)
	}
}

// Only addresses that the local one can reach are asked for, and one that comes
// in IPv6's clothes is the IPv4 address that it is.
func TestResolvedFamily(t *testing.T) {
	f := func(source, wantNetwork string) {
		t.Helper()
		cfg := Config{}
		if source != "" {
			cfg.Source = netip.MustParseAddr(source)
		}
		a := newAddresses(&cfg, "target.test")
		asked := ""
		a.lookup = func(_ context.Context, network, _ string) ([]netip.Addr, error) {
			asked = network
			return []netip.Addr{netip.MustParseAddr("::ffff:192.0.2.1"), netip.MustParseAddr("192.0.2.1")}, nil
		}
		found, err := a.resolve(t.Context())
		if err != nil || !slices.Equal(found, []netip.Addr{netip.MustParseAddr("192.0.2.1")}) {
			t.Errorf("source %q: found %v, error %v", source, found, err)
		}
		if asked != wantNetwork {
			t.Errorf("source %q: asked for %q, want %q", source, asked, wantNetwork)
		}
	}
	f("", "ip")
	f("192.0.2.7", "ip4")
	f("2001:db8::7", "ip6")
}
