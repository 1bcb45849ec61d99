package fanout

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// nameServer is a small DNS server on loopback that knows the addresses of one
// name, "target.test".
type nameServer struct {
	conn net.PacketConn

	mu      sync.Mutex
	addrs   []netip.Addr
	broken  bool // it answers with a failure
	lookups int  // questions for IPv4 addresses
}

func newNameServer(t testing.TB, addrs ...string) *nameServer {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &nameServer{conn: conn}
	s.move(addrs...)
	var serving sync.WaitGroup
	serving.Go(func() {
		buf := make([]byte, 1500)
		for {
			n, peer, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			if answer, err := s.answer(m); err == nil {
				conn.WriteTo(answer, peer)
			}
		}
	})
	t.Cleanup(func() {
		conn.Close()
		serving.Wait()
	})
	// The net package makes what its resolvers share with the first lookup, and
	// that must not be in the bubble of a test.
	_, _ = s.resolver().LookupNetIP(context.Background(), "ip", "localhost")
	return s
}

// resolver asks the server for everything.
func (s *nameServer) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", s.conn.LocalAddr().String())
	}}
}

// move gives the name other addresses; none: the name does not exist.
func (s *nameServer) move(addrs ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addrs = nil
	for _, a := range addrs {
		s.addrs = append(s.addrs, netip.MustParseAddr(a))
	}
}

func (s *nameServer) fail(broken bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = broken
}

// asked returns how often the name was looked up.
func (s *nameServer) asked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lookups
}

func (s *nameServer) answer(m dnsmessage.Message) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := m.Questions[0]
	m.Header = dnsmessage.Header{ID: m.ID, Response: true, RecursionAvailable: true}
	m.Additionals = nil
	known := q.Name.String() == "target.test."
	if q.Type == dnsmessage.TypeA && known {
		s.lookups++
	}
	switch {
	case s.broken:
		m.RCode = dnsmessage.RCodeServerFailure
	case !known || len(s.addrs) == 0:
		m.RCode = dnsmessage.RCodeNameError
	}
	for _, a := range s.addrs {
		head := dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 1}
		switch {
		case m.RCode != dnsmessage.RCodeSuccess:
		case q.Type == dnsmessage.TypeA && a.Is4():
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.AResource{A: a.As4()}})
		case q.Type == dnsmessage.TypeAAAA && a.Is6():
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.AAAAResource{AAAA: a.As16()}})
		}
	}
	return m.Pack()
}
