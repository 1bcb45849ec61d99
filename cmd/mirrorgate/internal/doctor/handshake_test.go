package doctor

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/mirrorgate/mirrorgate/codec"
)

// startAgent answers each HELLO with what reply makes of it, until the test ends.
func startAgent(t *testing.T, network, address string, reply func(codec.Hello) []byte) string {
	t.Helper()
	listener, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			b := make([]byte, 4096)
			n, _ := conn.Read(b)
			var hello codec.Hello
			if !strings.HasPrefix(string(b), "GET /healthz ") { // else whether it speaks HTTP
				f, err := codec.ParseFrame(b[codec.LenSize:n])
				if err != nil {
					t.Error(err)
				}
				if hello, err = codec.ParseHello(f); err != nil {
					t.Error(err)
				}
			}
			if answer := reply(hello); answer != nil {
				conn.Write(answer)
				conn.Read(b) // until the other side closes
			}
			conn.Close()
		}
	}()
	t.Cleanup(func() {
		listener.Close()
		<-done
	})
	return listener.Addr().String()
}

// What running agents answer, and what comes of it.
func TestAsk(t *testing.T) {
	f := func(name string, reply func(codec.Hello) []byte, want ...string) {
		t.Run(name, func(t *testing.T) {
			t.Helper()
			addr := startAgent(t, "tcp", "127.0.0.1:0", reply)
			files := map[string]string{"haproxy.cfg": strings.Replace(soundConfig, "127.0.0.1:1", addr, 1), "spoe.conf": soundSPOE}
			found := examine(t, Options{Connect: true}, files)
			if got := strings.ReplaceAll(found, addr, "ADDR"); got != strings.Join(want, "\n") {
				t.Errorf("found\n%s\nwant\n%s", got, strings.Join(want, "\n"))
			}
		})
	}
	good := func(h codec.Hello) []byte { return codec.AppendAgentHello(nil, h.MaxFrameSize) }
	f("sound", good)
	f("small frames for checks", func(h codec.Hello) []byte {
		if h.HealthCheck {
			return codec.AppendAgentHello(nil, 256)
		}
		return good(h)
	})
	f("small frames", func(codec.Hello) []byte { return codec.AppendAgentHello(nil, 16380) },
		"haproxy.cfg:16: the agent at ADDR takes frames of 16380 bytes, HAProxy makes up to 32764; start it with --max-frame-size 32768")
	f("large frames", func(codec.Hello) []byte { return codec.AppendAgentHello(nil, 65532) },
		"haproxy.cfg:16: the agent at ADDR asks for frames of 65532 bytes, more than HAProxy's 32764; is it mirrorgate? HAProxy will not take it")
	f("stopping", func(h codec.Hello) []byte {
		if h.HealthCheck {
			return codec.AppendAgentDisconnect(nil, codec.StatusNormal)
		}
		return good(h)
	}, "haproxy.cfg:16: the agent at ADDR refuses health checks: normal; if it is about to stop, wait for the next; else see its log")
	f("refusing", func(h codec.Hello) []byte {
		if h.HealthCheck {
			return good(h)
		}
		return codec.AppendAgentDisconnect(nil, codec.StatusResource)
	}, "haproxy.cfg:16: no handshake with an agent at ADDR: resource allocation error; start mirrorgate --listen ADDR, or correct the address")
	f("closing", func(codec.Hello) []byte { return nil },
		"haproxy.cfg:16: no handshake with an agent at ADDR: it closes the connection; start mirrorgate --listen ADDR, or correct the address")
	f("in pieces", func(h codec.Hello) []byte { return good(h)[:20] },
		"haproxy.cfg:16: no handshake with an agent at ADDR: its response is no HELLO in one piece; start mirrorgate --listen ADDR, or correct the address")
	f("no SPOP", func(codec.Hello) []byte { return []byte("HTTP/1.1 400 Bad Request\r\n\r\n") },
		"haproxy.cfg:16: at ADDR listens a server of HTTP, as --admin is; give the address of --listen, whose port is 12345 by default")
	f("no pipelining", func(h codec.Hello) []byte {
		return []byte(strings.Replace(string(good(h)), "pipelining", "serialized", 1))
	}, "haproxy.cfg:16: the agent at ADDR does no pipelining; is it mirrorgate? each request under way will need a connection")
}

// Where HAProxy's server lines lead.
func TestAskAddresses(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "run"), 0o700); err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int32
	reply := func(h codec.Hello) []byte {
		asked.Add(1)
		return codec.AppendAgentHello(nil, h.MaxFrameSize)
	}
	socket := startAgent(t, "unix", filepath.Join(dir, "run", "s"), reply)
	f := func(address, global string, want int32, o Options) {
		t.Helper()
		asked.Store(0)
		o.Connect = true
		files := map[string]string{"spoe.conf": soundSPOE,
			"haproxy.cfg": strings.NewReplacer("127.0.0.1:1", address, "tune.bufsize 32768", global).Replace(soundConfig)}
		if found := examine(t, o, files); found != "" || asked.Load() != want {
			t.Errorf("%s: asked %d times, want %d; found %s", address, asked.Load(), want, found)
		}
	}
	f("unix@"+socket, "maxconn 1", 2, Options{})
	f(socket, "maxconn 1", 2, Options{})
	f("unix@/run/s", "chroot "+dir, 2, Options{})
	f("/run/s", "chroot "+dir+"/", 2, Options{})
	f("abns@agent", "maxconn 1", 0, Options{})
	f("127.0.0.1:1 disabled", "maxconn 1", 0, Options{})
	f("127.0.0.1:1", "maxconn 1", 2, Options{Agents: []string{"unix:" + socket}})
}
