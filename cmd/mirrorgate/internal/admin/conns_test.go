package admin

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// serveLimited serves without any time limit, so that only a connection that goes
// makes room.
func serveLimited(t *testing.T, most int, handler http.HandlerFunc) *limitedListener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := limitConns(listener, most)
	server := &http.Server{Handler: marksBusy(handler), ConnContext: withConn}
	ended := make(chan error)
	go func() { ended <- server.Serve(l) }()
	t.Cleanup(func() {
		server.Close()
		<-ended
	})
	return l
}

// dial connects, sends, and never reads by itself.
func (l *limitedListener) dial(t *testing.T, send string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if _, err := io.WriteString(c, send); err != nil {
		t.Fatal(err)
	}
	return c
}

// await waits until n of the open connections are in that state.
func (l *limitedListener) await(t *testing.T, what string, state func(c *clientConn) bool, n int) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		got := 0
		l.mu.Lock()
		for c := range l.open {
			if state(c) {
				got++
			}
		}
		l.mu.Unlock()
		if got == n {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d connections are %s, want %d", got, what, n)
		}
	}
}

func isReading(c *clientConn) bool { return c.writing.IsZero() && !c.busy && !c.waits().IsZero() }
func isWriting(c *clientConn) bool { return !c.writing.IsZero() }
func isBusy(c *clientConn) bool    { return c.busy && c.writing.IsZero() }

const get1 = "GET /%s HTTP/1.1\r\nHost: h\r\n\r\n"

// hasEnded waits for the server to close the connection.
func hasEnded(t *testing.T, c net.Conn) {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(30 * time.Second))
	if _, err := io.Copy(io.Discard, c); err != nil && !strings.Contains(err.Error(), "reset") {
		t.Errorf("the connection does not end: %v", err)
	}
}

// answers asks over a connection of its own.
func (l *limitedListener) answers(t *testing.T, path, want string) {
	t.Helper()
	c := l.dial(t, fmt.Sprintf(get1, path))
	expect(t, c, want)
	c.Close()
}

func expect(t *testing.T, c net.Conn, want string) {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(30 * time.Second))
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil || string(body) != want {
		t.Errorf("it answers %q, %v, want %q", body, err, want)
	}
}

// However many connections neither send nor read, whoever comes is served.
func TestSilentPeersKeepNobodyOut(t *testing.T) {
	f := func(name, send string, state func(*clientConn) bool) {
		t.Run(name, func(t *testing.T) {
			l := serveLimited(t, 8, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/large" {
					io.WriteString(w, "ok")
					return
				}
				for block := make([]byte, 1<<20); ; {
					if _, err := w.Write(block); err != nil {
						return
					}
				}
			})
			for range 12 {
				l.dial(t, send)
			}
			l.await(t, name, state, 8)
			for range 3 {
				l.answers(t, "small", "ok")
			}
		})
	}
	f("silent", "", isReading)
	f("in the middle of a head", "GET / HT", isReading)
	f("in the middle of a body", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n", isReading)
	f("idle", fmt.Sprintf(get1, "small"), isReading)
	f("not reading", fmt.Sprintf(get1, "large"), isWriting)
}

// Of those that wait, the one goes that has for the longest; what mirrorgate itself
// is at work for stays.
func TestLongestWaitGoes(t *testing.T) {
	profile := make(chan struct{})
	l := serveLimited(t, 3, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/profile" {
			<-profile
		}
		io.WriteString(w, "ok")
	})
	working := l.dial(t, fmt.Sprintf(get1, "profile"))
	l.await(t, "busy", isBusy, 1)
	first := l.dial(t, "")
	l.await(t, "reading", isReading, 1)
	second := l.dial(t, "")
	l.await(t, "reading", isReading, 2)
	third := l.dial(t, "")
	hasEnded(t, first)
	l.await(t, "reading", isReading, 2)
	io.WriteString(second, fmt.Sprintf(get1, "small")) // and so the third waits longer
	expect(t, second, "ok")
	l.await(t, "reading", isReading, 2)
	l.answers(t, "small", "ok")
	hasEnded(t, third)
	close(profile)
	expect(t, working, "ok")
}

// Where nothing waits for its peer, the oldest connection goes.
func TestBusyPeersKeepNobodyOut(t *testing.T) {
	l := serveLimited(t, 2, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/profile" {
			<-r.Context().Done()
		}
		io.WriteString(w, "ok")
	})
	for i := range 2 {
		l.dial(t, fmt.Sprintf(get1, "profile"))
		l.await(t, "busy", isBusy, i+1)
	}
	l.answers(t, "small", "ok")
}
