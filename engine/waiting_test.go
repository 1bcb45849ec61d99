package engine

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
)

// overShare picks by the number of connections of each address; here each conn is
// named by its address and its place among those.
func TestOverShare(t *testing.T) {
	soon := 0
	f := func(conns string, most int, newcomer string, want string) {
		t.Helper()
		var r registry
		r.init(new(budget))
		names := map[*conn]string{nil: ""}
		counts := map[string]int{}
		for word := range strings.FieldsSeq(conns) {
			addr, used := strings.CutSuffix(word, "+") // it sent a NOTIFY
			c := new(conn)
			if addr != "unix" {
				c.peer = net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(addr), 1))
			}
			c.session.host = r.add(c, 0)
			if used {
				r.markUsed(c)
			}
			counts[addr]++
			names[c] = fmt.Sprint(addr, "#", counts[addr])
		}
		var peer netip.Addr
		if newcomer != "unix" {
			peer = netip.MustParseAddr(newcomer)
		}
		if got := names[r.overShare(peer, soon, most)]; got != want {
			t.Errorf("%s of %d, and %s: %q has to go, want %q", conns, most, newcomer, got, want)
		}
	}
	const a, b = "10.0.0.1 ", "10.0.0.2 "
	f(a+a+a+a, 4, "10.0.0.2", "10.0.0.1#1")
	f(a+a+a+a, 4, "10.0.0.1", "") // never for itself
	f(a+a+a+b, 4, "10.0.0.2", "10.0.0.1#1")
	f(a+a+b+b, 4, "10.0.0.2", "")
	f(a+a+b, 3, "10.0.0.2", "") // or they would take turns
	f(a+a+b, 3, "10.0.0.1", "")
	f("10.0.0.1+ "+a+a+a, 4, "10.0.0.2", "10.0.0.1#2")
	f("10.0.0.1+ 10.0.0.1+ 10.0.0.1+ "+b+b, 5, "10.0.0.3", "10.0.0.2#1")
	f("10.0.0.1+ 10.0.0.1+ 10.0.0.1+ "+b, 4, "10.0.0.3", "")
	f(b+a+a+a+b, 5, "10.0.0.3", "10.0.0.1#1")
	f(a+"::ffff:10.0.0.1 "+a, 3, "10.0.0.2", "10.0.0.1#1")
	f("unix unix unix "+a, 4, "10.0.0.2", "")
	f(a+a+a+a, 4, "unix", "10.0.0.1#1")
	f("unix "+a+a+a, 4, "unix", "10.0.0.1#1")
	f(a+b, 2, "10.0.0.3", "")
	f(a+a, 2, "10.0.0.3", "10.0.0.1#1")
	soon = 1
	f(a+a+a+a, 4, "10.0.0.2", "10.0.0.1#1")
	f(a+a+a+b, 4, "10.0.0.2", "")
	f(a+a, 2, "10.0.0.3", "")
}

// A host that took all connections, and uses none of them, makes room for others,
// is told so, and named in the log.
func TestOneAddressLeavesConnectionsToOthers(t *testing.T) {
	s := serve(t, func(cfg *Config) { cfg.MaxConns = 4 })
	used := s.greetFrom(t, "127.0.0.2")
	used.send(notify(1))
	used.expect("ack:1:1")
	var idle []*client
	for range 3 {
		idle = append(idle, s.greetFrom(t, "127.0.0.2"))
	}
	for i := range 2 {
		c := s.greetFrom(t, "127.0.0.1")
		c.send(notify(1))
		c.expect("ack:1:1")
		idle[i].expect("disc:13", "EOF")
	}
	used.send(notify(2))
	used.expect("ack:2:1")
	idle[2].send(notify(1))
	idle[2].expect("ack:1:1")
	if got := s.metric(`mirrorgate_spop_connections_refused_total{reason="full"}`); got != "2" {
		t.Errorf("%s connections made room, want 2", got)
	}
	s.shut()
	if log := s.log.String(); !strings.Contains(log, "one address has more than its share") || !strings.Contains(log, "address=127.0.0.2\n") {
		t.Errorf("the log does not name the address: %s", log)
	}
}

// Nor can it keep others out by having more connections wait than there is room for.
func TestOneAddressCannotBlockTheDoor(t *testing.T) {
	const conns = 4
	s := serve(t, func(cfg *Config) { cfg.MaxConns = conns })
	var theirs []*client
	for range conns {
		theirs = append(theirs, s.greetFrom(t, "127.0.0.2"))
	}
	for range 2 * maxWaiting {
		s.dialFrom(t, "127.0.0.2")
	}
	for range conns / 2 {
		c := s.greetFrom(t, "127.0.0.1")
		c.send(notify(1))
		c.expect("ack:1:1")
	}
	// All that came before were accepted.
	if got := s.counters.refused[refusedFull].Get(); got < maxWaiting {
		t.Errorf("%d of %d that wait were refused, want %d at least", got, 2*maxWaiting, maxWaiting)
	}
	for i, c := range theirs {
		if i < conns/2 {
			c.expect("disc:13", "EOF")
		} else {
			c.send(notify(1))
			c.expect("ack:1:1")
		}
	}
}

// Those that are refused come from the host that has the most of them.
func TestCrowded(t *testing.T) {
	f := func(hosts string, want int) {
		t.Helper()
		var w newcomers
		for i := range hosts {
			w = append(w, newcomer{addr: netip.AddrFrom4([4]byte{10, 0, 0, hosts[i]})})
		}
		if got := w.crowded(); got != want {
			t.Errorf("of %s the one at %d is refused, want %d", hosts, got, want)
		}
	}
	f("a", 0)
	f("aab", 1)
	f("baa", 2)
	f("abab", 3)
	f("aaabbbb", 6)
	f("aaaab", 3)
}
