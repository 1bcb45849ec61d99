package fanout

import (
	"fmt"
	"net"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// reborn is a target that dies and comes back at the same address.
type reborn struct {
	t       *testing.T
	socket  int // bound to the address, so that nobody else gets it meanwhile
	addr    string
	ln      net.Listener
	accepts sync.WaitGroup
	serving sync.WaitGroup
	conns   []net.Conn
}

func newReborn(t *testing.T) *reborn {
	t.Helper()
	r := &reborn{t: t}
	var err error
	if r.socket, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err != nil {
		t.Fatal(err)
	}
	if err := unix.SetsockoptInt(r.socket, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		t.Fatal(err)
	}
	if err := unix.Bind(r.socket, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	name, err := unix.Getsockname(r.socket)
	if err != nil {
		t.Fatal(err)
	}
	r.addr = fmt.Sprintf("127.0.0.1:%d", name.(*unix.SockaddrInet4).Port)
	t.Cleanup(func() {
		r.die()
		unix.Close(r.socket)
	})
	return r
}

// live listens and answers everything.
func (r *reborn) live() {
	r.t.Helper()
	ln, err := net.Listen("tcp", r.addr)
	if err != nil {
		r.t.Fatal(err)
	}
	r.ln = ln
	r.accepts.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			r.conns = append(r.conns, conn)
			r.serving.Go(func() { answerHTTP1(conn) })
		}
	})
}

// die refuses connections and resets those that there are.
func (r *reborn) die() {
	if r.ln == nil {
		return
	}
	r.ln.Close()
	r.ln = nil
	r.accepts.Wait()
	for _, conn := range r.conns {
		conn.(*net.TCPConn).SetLinger(0)
		conn.Close()
	}
	r.conns = nil
	r.serving.Wait()
}
