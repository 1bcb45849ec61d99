//go:build !race

// The race detector has memory of its own for each goroutine.

package fanout

import (
	"context"
	"crypto/tls"
	"fmt"
	"math"
	"net"
	"runtime"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/mirrorgate/mirrorgate/codec"
)

// A connection that waits for a response costs no more than it is reckoned at.
func TestConnectionBytes(t *testing.T) {
	f := func(what string, edit func(*Config), urls []string, reckoned int64) {
		t.Helper()
		const conns = 64
		specs := make([]string, len(urls))
		for i, url := range urls {
			specs[i] = fmt.Sprintf("%s,conns=%d,timeout=10m,max-age=10m", url, conns)
		}
		fan := newFanout(t, edit, specs...)
		defer func() {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			fan.Drain(ctx)
			checkSums(t, fan)
		}()
		before := inUse()
		reqs := make([]codec.Request, conns)
		for i := range reqs {
			reqs[i] = browserRequest()
		}
		fan.Submit(reqs)
		want := conns * len(urls)
		standing := func() (n int) {
			for _, tg := range fan.targets {
				tg.mu.Lock()
				if tg.dialing == 0 && tg.queue.n == 0 {
					n += tg.open
				}
				tg.mu.Unlock()
			}
			return n
		}
		eventually(t, fmt.Sprintf("%s: %d connections", what, want), func() bool { return standing() == want })
		least := int64(math.MaxInt64)
		for range 5 { // what opened a connection may not have ended yet
			least = min(least, (inUse()-before-fan.memory.payloads.Load())/int64(want))
		}
		t.Logf("%s: %d bytes for each of %d connections", what, least, want)
		if least > reckoned {
			t.Errorf("%s: a connection costs %d bytes, and is reckoned at %d", what, least, reckoned)
		}
		if held := fan.memory.payloads.Load() + fan.memory.connections.Load(); held > fan.memory.limit.Load() {
			t.Errorf("%s: %d bytes are held, the limit is %d", what, held, fan.memory.limit.Load())
		}
	}
	url, trust := listenMuteTLS(t)
	f("TLS", trust, []string{url, url, url, url}, tlsConnection)
	plain := make([]string, 64)
	for i := range plain {
		plain[i] = listenDeaf(t)
	}
	f("plain", nil, plain, plainConnection)
}

// inUse is the memory of heap and stacks, in bytes.
func inUse() int64 {
	runtime.GC()
	runtime.GC() // pools give back what they hold with the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

// listenDeaf listens, but accepts nothing: the kernel opens connections all the
// same, and they cost this process nothing on that side.
func listenDeaf(t *testing.T) string {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 128); err != nil {
		t.Fatal(err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("http://127.0.0.1:%d", name.(*unix.SockaddrInet4).Port)
}

// listenMuteTLS shakes hands, and then leaves each connection to the kernel: all
// that this process keeps of it is a descriptor.
func listenMuteTLS(t *testing.T) (url string, trust func(*Config)) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	certificate, trust := trusted(t)
	config := &tls.Config{Certificates: []tls.Certificate{certificate}}
	var kept []int
	var mu sync.Mutex
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer conn.Close()
				if tls.Server(conn, config).Handshake() != nil {
					return
				}
				raw, err := conn.(*net.TCPConn).SyscallConn()
				if err != nil {
					return
				}
				raw.Control(func(fd uintptr) {
					if copied, err := unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0); err == nil {
						mu.Lock()
						defer mu.Unlock()
						kept = append(kept, copied)
					}
				})
			})
		}
	})
	t.Cleanup(func() {
		ln.Close()
		serving.Wait()
		for _, fd := range kept {
			unix.Close(fd)
		}
	})
	return "https://" + ln.Addr().String(), trust
}
