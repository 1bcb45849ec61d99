//go:build servers

package e2e

import (
	"bufio"
	"crypto/sha1"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/mirrorgate/mirrorgate/cmd/internal/haproxy"
)

// abrupt is a target that ends its connections when a test says so, or sends
// what nobody asked for. It responds with the status that the path asks for.
type abrupt struct {
	t       *testing.T
	addr    string
	unasked string // is sent behind each response
	once    bool   // a connection is closed when a second request comes
	serving sync.WaitGroup

	mu       sync.Mutex
	listener net.Listener
	conns    map[*net.TCPConn]bool
	arrived  []string   // lines as in the log of a server
	said     int        // responses written, with what nobody asked for
	together int        // so many are to have arrived before one more response is sent
	more     *sync.Cond // something arrived
}

func startAbrupt(t *testing.T, unasked string) *abrupt {
	t.Helper()
	addr, release, err := haproxy.Reserve()
	if err != nil {
		t.Fatal(err)
	}
	s := &abrupt{t: t, addr: addr, unasked: unasked, conns: map[*net.TCPConn]bool{}}
	s.more = sync.NewCond(&s.mu)
	s.start()
	t.Cleanup(func() {
		s.stop()
		release()
	})
	return s
}

func (s *abrupt) start() {
	s.t.Helper()
	listener, err := net.Listen("tcp", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	s.listener = listener
	s.serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.conns[conn.(*net.TCPConn)] = true
			s.mu.Unlock()
			s.serving.Go(func() { s.serve(conn.(*net.TCPConn)) })
		}
	})
}

// stop is the end of a process: nobody listens, no connection stands.
func (s *abrupt) stop() {
	s.respondTogether(0)
	s.listener.Close()
	s.end((*net.TCPConn).Close)
	s.serving.Wait()
}

// end ends all connections in the given way.
func (s *abrupt) end(one func(*net.TCPConn) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for conn := range s.conns {
		_ = one(conn)
	}
}

// respondTogether lets the next n requests wait for each other.
func (s *abrupt) respondTogether(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.together = len(s.arrived) + n
	s.more.Broadcast()
}

func (s *abrupt) serve(conn *net.TCPConn) {
	defer func() {
		conn.Close()
		s.mu.Lock()
		delete(s.conns, conn)
		s.mu.Unlock()
	}()
	in := bufio.NewReader(conn)
	for first := true; ; first = false {
		r, err := http.ReadRequest(in)
		if err != nil || s.once && !first {
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		s.mu.Lock()
		s.arrived = append(s.arrived, fmt.Sprintf("%s %s %s %d %x", r.Method, r.URL.Path, r.Header.Get("X-Id"), len(body), sha1.Sum(body)))
		s.more.Broadcast()
		for len(s.arrived) < s.together {
			s.more.Wait()
		}
		s.mu.Unlock()
		fmt.Fprintf(conn, "HTTP/1.1 %d Status\r\nContent-Length: 0\r\n\r\n", statusOf(r.URL.Path))
		io.WriteString(conn, s.unasked)
		s.mu.Lock()
		s.said++
		s.mu.Unlock()
	}
}

// awaitSaid waits until all that was to be sent lies in the other side's sockets.
func (s *abrupt) awaitSaid() {
	s.t.Helper()
	eventually(s.t, "what the target sent has reached mirrorgate", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		for conn := range s.conns {
			if unacknowledged(conn) {
				return false
			}
		}
		return s.said == len(s.arrived)
	})
}

func unacknowledged(conn *net.TCPConn) (waits bool) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return false
	}
	_ = raw.Control(func(fd uintptr) {
		info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
		waits = err == nil && info.Unacked > 0
	})
	return waits
}

// awaitEnds waits until each connection to the target has met its end.
func (s *abrupt) awaitEnds() {
	s.t.Helper()
	_, port, _ := net.SplitHostPort(s.addr)
	var n int
	fmt.Sscan(port, &n)
	to := fmt.Sprintf(":%04X", n)
	eventually(s.t, "no connection to the target is established", func() bool {
		table, err := os.ReadFile("/proc/net/tcp")
		if err != nil {
			s.t.Fatal(err)
		}
		for line := range strings.Lines(string(table)) {
			f := strings.Fields(line) // number, local and remote address, state
			if strings.HasSuffix(f[2], to) && f[3] == "01" {
				return false
			}
		}
		return true
	})
}

// check checks that each request arrived once, and has the response to it.
func (s *abrupt) check(a *agent, requests []mixed) {
	s.t.Helper()
	counted := a.atRest(int64(len(requests)), map[string][]string{"t": {"t"}})
	want := make([]string, len(requests))
	for i, m := range requests {
		want[i] = m.line()
	}
	s.mu.Lock()
	got := slices.Sorted(slices.Values(s.arrived))
	s.mu.Unlock()
	slices.Sort(want)
	if !slices.Equal(got, want) {
		s.t.Errorf("%d requests arrived, or not as they were sent; want %d", len(got), len(want))
	}
	checkNoLosses(s.t, counted)
	a.checkCompared()
}

// What a target sends into an idle connection is no response to a later request.
func TestServersUnasked(t *testing.T) {
	f := func(name, unasked string) {
		for _, keys := range []string{"", ",batch=64"} {
			t.Run(name+keys, func(t *testing.T) {
				s := startAbrupt(t, unasked)
				a := startAgent(t, "--target", "t=http://"+s.addr+keys)
				client, requests := a.mixClient(), mix(1, 40)
				for i, m := range requests {
					client.send(m)
					a.rested(int64(i + 1))
					s.awaitSaid()
				}
				s.check(a, requests)
			})
		}
	}
	f("time-out", "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
	f("success", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	f("interim", "HTTP/1.1 100 Continue\r\n\r\n")
	f("half a head", "HTTP/1.1 200 OK\r\n")
	f("empty line", "\r\n")
}

// A request that may be sent twice is not lost because all the idle connections
// end as it comes.
func TestServersEndUnderRequest(t *testing.T) {
	const size = 10
	s := startAbrupt(t, "")
	s.once = true
	a := startAgent(t, "--target", "t=http://"+s.addr)
	client, requests := a.mixClient(), mix(1, 2*size)
	for i := range requests {
		requests[i].method, requests[i].body = "GET", nil
	}
	s.respondTogether(size)
	client.send(requests[:size]...)
	for i, m := range requests[size:] {
		a.rested(int64(size + i))
		client.send(m)
	}
	s.check(a, requests)
}

// No request is lost because the connection it would have taken has ended.
func TestServersEndIdleConnections(t *testing.T) {
	const bursts, size = 10, 10
	f := func(name string, end func(*abrupt)) {
		for _, keys := range []string{"", ",batch=64"} {
			t.Run(name+keys, func(t *testing.T) {
				s := startAbrupt(t, "")
				a := startAgent(t, "--target", "t=http://"+s.addr+keys)
				client, requests := a.mixClient(), mix(1, bursts*size)
				for i := range requests {
					requests[i].method = "POST"
				}
				for i := range bursts {
					s.respondTogether(size) // so that there are as many connections
					client.send(requests[i*size:][:size]...)
					a.rested(int64((i + 1) * size))
					end(s)
					s.awaitEnds()
				}
				s.check(a, requests)
			})
		}
	}
	f("closed", func(s *abrupt) { s.end((*net.TCPConn).Close) })
	f("reset", func(s *abrupt) {
		s.end(func(conn *net.TCPConn) error {
			conn.SetLinger(0)
			return conn.Close()
		})
	})
	f("restarted", func(s *abrupt) {
		s.stop()
		s.start()
	})
}
