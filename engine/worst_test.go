package engine

import (
	"net"
	"syscall"
	"testing"

	"github.com/mirrorgate/mirrorgate/codec"
)

// 10,000 connections, from two addresses, of which each holds as much as it can of
// a fragmented NOTIFY and of a frame, cost what the documentation says: 32 KiB each,
// and all that is larger no more than the budget. Another address is served.
func TestWorstConnections(t *testing.T) {
	const memory, each, process = 32 << 20, 32 << 10, 64 << 20 // bytes
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		t.Fatal(err)
	}
	n := int(min(10_000, files.Cur-500))
	fragment := frame(codec.FrameNotify, 0, 1, 1, make([]byte, firstBuffer))
	begun := frame(codec.FrameUnset, 0, 1, 1, make([]byte, 1<<20-100))
	small := join(announcing(1<<20), fragment, begun[:firstBuffer])
	large := join(announcing(1<<20), fragment, begun[:len(begun)/2])
	serveInChild(t, "0 0 32", func(addr net.Addr, ask func(string) usage) {
		before := ask("collect")
		for i := range n {
			hostile := small
			if i%51 == 0 { // from both addresses
				hostile = large
			}
			c := connectFrom(t, [4]byte{127, 0, 0, byte(2 + i%2)}, addr.(*net.TCPAddr).Port)
			if _, err := syscall.Write(c, hostile); err != nil {
				t.Fatal(err)
			}
		}
		await(t, "all to be held", func() bool {
			u := ask("")
			return u.conns == n && u.held > memory*3/4 && u.heap-before.heap > n*each*9/10
		})
		legitimate := dial(t, addr)
		legitimate.send(join(greeting(), notify(1, get("/"))))
		legitimate.expect("hello:16380", "ack:1:1")
		u := ask("collect")
		grown := u.heap - before.heap
		t.Logf("%d connections hold %d MiB, %d of them counted in the budget", n, grown>>20, u.held>>20)
		if u.held > memory || grown > n*each+memory+process {
			t.Errorf("%d connections hold %d bytes, %d of them counted in the budget of %d", n, grown, u.held, memory)
		}
	})
}

// connectFrom returns a descriptor that is connected from an address of this host.
func connectFrom(t *testing.T, source [4]byte, port int) int {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: source}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Connect(fd, &syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	return fd
}
