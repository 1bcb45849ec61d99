package fanout

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mirrorgate/mirrorgate/codec"
)

// trusted makes a certificate of 127.0.0.1, and what makes a Fanout trust it.
func trusted(t testing.TB) (certificate tls.Certificate, trust func(*Config)) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, func(c *Config) { c.TLS = &tls.Config{RootCAs: pool} }
}

// tlsTarget is a target that a test plays itself, over TLS.
type tlsTarget struct {
	*rawTarget
	trust func(*Config) // makes a Fanout trust it

	mu       sync.Mutex
	heard    []*overheard
	sessions []tls.ConnectionState
}

// overheard keeps what is read of a connection before it is decrypted. While it is
// corked it keeps what is written, too.
type overheard struct {
	net.Conn
	mu     sync.Mutex
	read   []byte
	corked bool
	held   []byte
}

func (o *overheard) Write(b []byte) (int, error) {
	if o.corked {
		o.held = append(o.held, b...)
		return len(b), nil
	}
	return o.Conn.Write(b)
}

// uncork writes in one piece what was held.
func (o *overheard) uncork() {
	o.corked = false
	o.Conn.Write(o.held)
	o.held = nil
}

func (o *overheard) Read(b []byte) (int, error) {
	n, err := o.Conn.Read(b)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.read = append(o.read, b[:n]...)
	return n, err
}

// applicationRecords counts the records of application data (RFC 8446 section
// 5.1).
func (o *overheard) applicationRecords() (n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	const header, applicationData = 5, 23
	for b := o.read; len(b) >= header; b = b[header+int(binary.BigEndian.Uint16(b[3:])):] {
		if b[0] == applicationData {
			n++
		}
	}
	return n
}

// listenTLS is listen with TLS on top; edit may be nil.
func listenTLS(t testing.TB, edit func(*tls.Config), play func(c *rawConn)) *tlsTarget {
	t.Helper()
	certificate, trust := trusted(t)
	config := &tls.Config{Certificates: []tls.Certificate{certificate}}
	if edit != nil {
		edit(config)
	}
	tt := &tlsTarget{trust: trust}
	tt.rawTarget = listen(t, func(c *rawConn) {
		heard := &overheard{Conn: c.Conn}
		over := tls.Server(heard, config)
		if over.Handshake() != nil {
			return
		}
		tt.mu.Lock()
		tt.heard = append(tt.heard, heard)
		tt.sessions = append(tt.sessions, over.ConnectionState())
		tt.mu.Unlock()
		c.Conn, c.in = over, bufio.NewReader(over)
		play(c)
	})
	tt.url = strings.Replace(tt.url, "http:", "https:", 1)
	return tt
}

func onlyVersion(version uint16) func(*tls.Config) {
	return func(c *tls.Config) { c.MinVersion, c.MaxVersion = version, version }
}

// A request of up to 16 KiB is one record, and each record is one write.
func TestTLSRecords(t *testing.T) {
	f := func(version uint16, body, want int) {
		t.Helper()
		tt := listenTLS(t, onlyVersion(version), func(c *rawConn) { c.serve(ok) })
		fan := newFanout(t, tt.trust, tt.url+"/prefix,host=target,conns=1")
		fan.Submit([]codec.Request{request("POST", "/path", strings.Repeat("b", body), "host", "h")})
		defer drain(t, fan)
		eventually(t, "a response", func() bool { return answered(fan.targets[0]) == 1 })
		if !strings.HasPrefix(tt.requests()[0], "POST /prefix/path bbb") {
			t.Errorf("it saw %.40s", tt.requests()[0])
		}
		tt.mu.Lock()
		defer tt.mu.Unlock()
		if n := tt.heard[0].applicationRecords(); n != want {
			t.Errorf("%s: a body of %d bytes is %d records, want %d", tls.VersionName(version), body, n, want)
		}
	}
	f(tls.VersionTLS12, 10, 1)
	f(tls.VersionTLS12, 12_000, 1)
	f(tls.VersionTLS12, 16_200, 1)
	f(tls.VersionTLS12, 17_000, 2)
	f(tls.VersionTLS13, 16_200, 2) // the handshake ends with one that looks alike
}

// The second connection resumes the session of the first.
func TestTLSSessionIsResumed(t *testing.T) {
	f := func(version uint16) {
		t.Helper()
		tt := listenTLS(t, onlyVersion(version), func(c *rawConn) {
			c.take(1)
			c.send(okClose)
			c.waitEnd()
		})
		fan := newFanout(t, tt.trust, tt.url+",conns=1")
		for i := range 2 {
			fan.Submit(requests("POST /1 b"))
			eventually(t, "a response", func() bool { return answered(fan.targets[0]) == uint64(i+1) })
		}
		drain(t, fan)
		tt.mu.Lock()
		defer tt.mu.Unlock()
		if len(tt.sessions) != 2 || tt.sessions[0].DidResume || !tt.sessions[1].DidResume {
			t.Errorf("%s: %d sessions, none of which is resumed", tls.VersionName(version), len(tt.sessions))
		}
	}
	f(tls.VersionTLS12)
	f(tls.VersionTLS13)
}

// A handshake that fails drops the request as tls, and the log says why; if the
// target says so only when the request is under way, it is an error of that kind.
// It is never a connection that broke.
func TestTLSFailures(t *testing.T) {
	f := func(what string, edit func(*tls.Config), trusts bool, method, wantReason string) {
		t.Helper()
		tt := listenTLS(t, edit, func(c *rawConn) { c.serve(ok) })
		const rounds = 20
		for range rounds {
			var out lockedBuffer
			fan := newFanout(t, func(c *Config) {
				logged(&out)(c)
				if trusts {
					tt.trust(c)
				}
			}, tt.url+",conns=1")
			tg := fan.targets[0]
			fan.Submit(requests(method+" /1", method+" /2"))
			drain(t, fan)
			if n := tg.metrics.dropped[dropTLS].Get() + tg.metrics.errors[errorTLS].Get(); n != 2 {
				t.Fatalf("%s, %s: %s", what, method, counts(tg))
			}
			if failure := tg.failures.get(); failure.Kind != "tls" || !strings.Contains(failure.Reason, wantReason) {
				t.Fatalf("%s, %s: the last failure is %+v", what, method, failure)
			}
			if n := strings.Count(out.String(), "TLS with the target failed"); n != 1 || !strings.Contains(out.String(), wantReason) {
				t.Fatalf("%s, %s: the log says %s", what, method, out.String())
			}
		}
	}
	both := func(what string, edit func(*tls.Config), trusts bool, wantReason string) {
		t.Helper()
		f(what, edit, trusts, "GET", wantReason)
		f(what, edit, trusts, "POST", wantReason)
	}
	both("untrusted", nil, false, "x509: ")
	needsCertificate := func(version uint16) func(*tls.Config) {
		return func(c *tls.Config) {
			onlyVersion(version)(c)
			c.ClientAuth = tls.RequireAnyClientCert
		}
	}
	both("no client certificate, 1.2", needsCertificate(tls.VersionTLS12), true, "handshake failure")
	both("no client certificate, 1.3", needsCertificate(tls.VersionTLS13), true, "certificate required")
	both("another protocol only", func(c *tls.Config) { c.NextProtos = []string{"h2-16"} }, true, "the target offers neither HTTP/2 nor HTTP/1.1")
	both("an old version only", onlyVersion(tls.VersionTLS10), true, "protocol version not supported")
}

// A connection on which nothing but session tickets came is used again; what else
// came, or its end, closes it, though TLS may have read that already.
func TestTLSIdleConnectionIsChecked(t *testing.T) {
	f := func(what string, version uint16, play func(c *rawConn), wantConns int) {
		t.Helper()
		opened := make(chan struct{})
		tt := listenTLS(t, onlyVersion(version), func(c *rawConn) {
			if c.number == 1 {
				<-opened
				play(c)
			}
			c.serve(ok)
		})
		fan := newFanout(t, tt.trust, tt.url+",conns=1")
		tg := fan.targets[0]
		tg.mu.Lock()
		c := tg.newConn()
		tg.mu.Unlock()
		opener := newWorker(tg)
		if !opener.open(c) {
			t.Fatal("it does not open")
		}
		turnBuffers.release(&opener.buf)
		tg.processors.release()
		close(opened)
		eventually(t, what+" to arrive", func() bool { return quiet([]*socket{c.socket}, nil)[0].Revents != 0 })
		tg.mu.Lock()
		tg.putIdle([]*conn{c}, tg.now())
		tg.mu.Unlock()
		fan.Submit(requests("POST /1 b"))
		drain(t, fan)
		if got := counts(tg); got != "selected=1 sent=1 2xx=1" || tt.connections() != wantConns {
			t.Errorf("%s: %s on %d connections, want %d", what, got, tt.connections(), wantConns)
		}
	}
	f("tickets", tls.VersionTLS13, func(*rawConn) {}, 1)
	f("a response", tls.VersionTLS12, func(c *rawConn) { c.send(ok) }, 2)
	f("the end", tls.VersionTLS12, func(c *rawConn) { c.Close() }, 2)
}

// What nobody asked for is found though it came together with a response, and TLS
// has read it from the socket.
func TestTLSStrayIsFound(t *testing.T) {
	tt := listenTLS(t, nil, func(c *rawConn) {
		for c.take(1) {
			heard := c.Conn.(*tls.Conn).NetConn().(*overheard)
			heard.corked = true
			c.send(ok, "HTTP/1.1 408 Request Timeout\r\n\r\n") // a record each
			heard.uncork()
		}
	})
	fan := newFanout(t, tt.trust, tt.url+",conns=1")
	tg := fan.targets[0]
	for i := range 3 {
		fan.Submit(requests("POST /1 b"))
		eventually(t, "a response, and an idle connection", func() bool { return answered(tg) == uint64(i+1) && tg.idleConns() == 1 })
	}
	drain(t, fan)
	if got := counts(tg); got != "selected=3 sent=3 2xx=3" || tt.connections() != 3 {
		t.Errorf("%s on %d connections, want 3", got, tt.connections())
	}
}
