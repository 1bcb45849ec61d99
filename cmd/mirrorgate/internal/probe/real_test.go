package probe

import (
	"bufio"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log"
	"maps"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// seen counts what a handler gets.
type seen struct {
	mu       sync.Mutex
	total    int
	what     map[string]bool // method, protocol and path
	unmarked bool            // one came without the marker
	host     string          // that it knows; empty: any
}

func (s *seen) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.total++
	s.what[r.Method+" "+r.Proto+" "+r.URL.Path] = true
	s.unmarked = s.unmarked || r.Header.Get("X-Mirrored-By") != "mirrorgate"
	s.mu.Unlock()
	if s.host != "" && r.Host != s.host {
		w.WriteHeader(http.StatusMisdirectedRequest)
	}
	io.Copy(io.Discard, r.Body)
	io.WriteString(w, "ok")
}

// start serves with Go's net/http, in the protocols given.
func start(t *testing.T, configure func(*httptest.Server), secure bool, protocols ...func(*http.Protocols, bool)) (*httptest.Server, *seen) {
	t.Helper()
	s := &seen{what: map[string]bool{}}
	server := httptest.NewUnstartedServer(s)
	server.Config.Protocols = new(http.Protocols)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	for _, set := range protocols {
		set(server.Config.Protocols, true)
	}
	if configure != nil {
		configure(server)
	}
	if secure {
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	return server, s
}

var (
	http1 = (*http.Protocols).SetHTTP1
	h2    = (*http.Protocols).SetHTTP2
	h2c   = (*http.Protocols).SetUnencryptedHTTP2
)

// probeReal asks a server on loopback, which has time enough for every response.
func probeReal(t *testing.T, url string, change func(*Options)) (*Report, error) {
	t.Helper()
	o := options(t, url)
	o.Timeout, o.idle = time.Minute, time.Millisecond
	if change != nil {
		change(&o)
	}
	return Run(t.Context(), o)
}

// Go's server can everything. As all of its responses are alike here, nothing is
// left out, and so the number of requests is what was said before.
func TestGo(t *testing.T) {
	f := func(writes bool, want ...string) {
		t.Helper()
		server, s := start(t, nil, false, http1, h2c)
		var o Options
		r, err := probeReal(t, server.URL+"/a", func(change *Options) { change.Writes = writes; o = *change })
		if err != nil {
			t.Fatal(err)
		}
		if s.total != r.Requests || s.total != o.Requests() {
			t.Errorf("%d requests came, %d are reported, %d were announced", s.total, r.Requests, o.Requests())
		}
		if got := slices.Sorted(maps.Keys(s.what)); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		if s.unmarked {
			t.Error("a request came that a mirroring HAProxy would mirror")
		}
		gets := r.Pipelining.GETs
		if gets.Verdict != Right || gets.Right != batch || r.Head.Body != 0 || !r.OtherHost.Same || r.HTTP2.Status != 200 || !r.KeepAlive.AtLeast {
			t.Errorf("%+v", r)
		}
		if posts := r.Pipelining.POSTs; writes && (posts[0].Verdict != Right || posts[1].Verdict != Right || r.Limits.Body.Taken != 1<<20) {
			t.Errorf("%+v", r)
		}
	}
	f(false, "GET HTTP/1.1 /a", "GET HTTP/2.0 /a", "HEAD HTTP/1.1 /a", "OPTIONS HTTP/1.1 /a")
	f(true, "GET HTTP/1.1 /a", "GET HTTP/2.0 /a", "HEAD HTTP/1.1 /a", "OPTIONS HTTP/1.1 /a", "POST HTTP/1.1 /a")
}

// The Host that is asked for is sent, over HTTP/2 as well, and recommended if
// another does not do.
func TestHost(t *testing.T) {
	server, s := start(t, nil, false, http1, h2c)
	s.host = "www.example.com"
	r, err := probeReal(t, server.URL, func(o *Options) { o.Host, o.Writes = s.host, true })
	if err != nil {
		t.Fatal(err)
	}
	if want := "--target " + server.URL + ",batch=16,host=www.example.com"; r.Response.Status != 200 || r.HTTP2.Status != 200 || r.Target != want {
		t.Errorf("got %+v, want %s", r, want)
	}
}

// What TLS and HTTP/2 tell, and the options and the error that follow.
func TestSecure(t *testing.T) {
	f := func(name string, configure func(*httptest.Server), secure bool, protocols []func(*http.Protocols, bool), change func(*httptest.Server, *Options), want func(*Report) bool, options, failure string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Helper()
			t.Parallel()
			server, _ := start(t, configure, secure, protocols...)
			r, err := probeReal(t, server.URL, func(o *Options) {
				if change != nil {
					change(server, o)
				}
			})
			if r == nil {
				t.Fatal(err)
			}
			if !want(r) {
				t.Errorf("TLS %+v, HTTP/2 %+v", r.TLS, r.HTTP2)
			}
			_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
			if got := strings.NewReplacer(server.URL, "URL", port, "PORT").Replace(r.Target); got != options {
				t.Errorf("it recommends %q, want %q", got, options)
			}
			if (err == nil) != (failure == "") || err != nil && !strings.Contains(err.Error(), failure) {
				t.Errorf("got %v, want %q", err, failure)
			}
		})
	}
	type on = []func(*http.Protocols, bool)
	trusting := func(s *httptest.Server, o *Options) {
		o.TLS = &tls.Config{RootCAs: x509.NewCertPool()}
		o.TLS.RootCAs.AddCert(s.Certificate())
		o.TLSFlags = []string{"--tls-ca ca.pem"}
	}
	showing := func(s *httptest.Server, o *Options) {
		trusting(s, o)
		o.TLS.Certificates = s.TLS.Certificates
	}
	asking := func(kind tls.ClientAuthType, version uint16) func(*httptest.Server) {
		return func(s *httptest.Server) { s.TLS = &tls.Config{ClientAuth: kind, MaxVersion: version} }
	}
	offering := func(names ...string) func(*httptest.Server) {
		return func(s *httptest.Server) { s.TLS = &tls.Config{NextProtos: names} }
	}
	f("untrusted", nil, true, on{http1}, nil, func(r *Report) bool {
		return r.TLS.Version == "1.3" && !r.TLS.Trusted && strings.Contains(r.TLS.Distrust, "unknown authority") &&
			r.TLS.Subject == "O=Acme Co" && r.TLS.Issuer == "O=Acme Co" && r.TLS.Expires.Year() > 2080 && slices.Contains(r.TLS.Names, "127.0.0.1")
	}, "--tls-ca FILE --target URL,batch=1", "")
	self := selfSigned(t)
	f("self-signed", func(s *httptest.Server) { s.TLS = &tls.Config{Certificates: []tls.Certificate{self}} }, true, on{http1},
		func(_ *httptest.Server, o *Options) {
			o.TLS.RootCAs = x509.NewCertPool()
			namesake, _ := x509.ParseCertificate(selfSigned(t).Certificate[0])
			o.TLS.RootCAs.AddCert(namesake) // which Go's error tells about at length
		},
		func(r *Report) bool {
			return r.TLS.Distrust == "certificate signed by unknown authority" && r.TLS.Subject == "CN=self"
		},
		"--tls-ca FILE --target URL,batch=1", "")
	f("untrusted, and that is known", nil, true, on{http1}, func(_ *httptest.Server, o *Options) {
		o.TLS.InsecureSkipVerify, o.TLSFlags = true, []string{"--tls-insecure"}
	}, func(r *Report) bool { return !r.TLS.Trusted }, "--tls-insecure --target URL,batch=1", "")
	f("trusted", nil, true, on{http1}, trusting, func(r *Report) bool {
		return r.TLS.Trusted && r.TLS.ALPN == "http/1.1" && r.HTTP2.Status == 0
	}, "--tls-ca ca.pem --target URL,batch=1", "")
	f("another name", nil, true, on{http1}, func(s *httptest.Server, o *Options) {
		trusting(s, o)
		o.URL.Host = strings.Replace(o.URL.Host, "127.0.0.1", "localhost", 1)
	}, func(r *Report) bool { return !r.TLS.Trusted && strings.Contains(r.TLS.Distrust, "not localhost") },
		"--tls-ca ca.pem --tls-insecure --target https://localhost:PORT,batch=1", "")
	f("TLS 1.2", asking(tls.NoClientCert, tls.VersionTLS12), true, on{http1}, trusting, func(r *Report) bool { return r.TLS.Version == "1.2" },
		"--tls-ca ca.pem --target URL,batch=1", "")
	f("h2 and http/1.1", offering("h2", "http/1.1"), true, on{http1, h2}, trusting, func(r *Report) bool {
		return r.TLS.ALPN == "h2" && r.HTTP2.Status == 200 && r.HTTP2.Streams > 0 && r.Response.Version == "HTTP/1.1"
	}, "--tls-ca ca.pem --target URL", "")
	f("h2 only", offering("h2"), true, on{h2}, trusting, func(r *Report) bool { return r.HTTP2.Status == 200 && r.Response == nil },
		"", "it speaks HTTP/2 only")
	f("h2c only", nil, false, on{h2c}, nil, func(r *Report) bool { return r.HTTP2.Status == 200 && r.Response == nil },
		"", "it speaks HTTP/2 only")
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		name := tls.VersionName(version)
		f("certificate shown, "+name, asking(tls.RequireAnyClientCert, version), true, on{http1}, showing, func(r *Report) bool {
			return r.TLS.ClientCertificate == "shown" && r.Response.Status == 200
		}, "--tls-ca ca.pem --target URL,batch=1", "")
		f("certificate not needed, "+name, asking(tls.RequestClientCert, version), true, on{http1}, trusting, func(r *Report) bool {
			return r.TLS.ClientCertificate == "asked" && r.Response.Status == 200
		}, "--tls-ca ca.pem --target URL,batch=1", "")
	}
	f("certificate required", asking(tls.RequireAnyClientCert, tls.VersionTLS13), true, on{http1}, trusting, func(r *Report) bool {
		return r.TLS.ClientCertificate == "asked" && r.Response == nil
	}, "", "it wants a client certificate: give --tls-cert and --tls-key")
}

// selfSigned makes a certificate that may sign nothing, not even itself.
func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "self"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
		BasicConstraintsValid: true, SubjectKeyId: []byte{1}, AuthorityKeyId: []byte{1},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// Who is not there, or ends the handshake, gives no report, but a reason.
func TestUnreachable(t *testing.T) {
	f := func(name, url, want string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Helper()
			r, err := probeReal(t, url, nil)
			if r != nil || err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, %v; want %s", r, err, want)
			}
		})
	}
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody.Close()
	plain, _ := start(t, nil, false, http1)
	required, _ := start(t, func(s *httptest.Server) {
		s.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert, MaxVersion: tls.VersionTLS12}
	}, true, http1)
	f("refused", "http://"+nobody.Addr().String(), "connection refused")
	f("plain", strings.Replace(plain.URL, "http", "https", 1), "it does not speak TLS there: should the URL begin with http://?")
	f("certificate required, TLS 1.2", required.URL, "it wants a client certificate: give --tls-cert and --tls-key")
}

// RST is told as what it is.
func TestReset(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			br := bufio.NewReader(c)
			limited(1)(c, br)
			http.ReadRequest(br) // so that all was sent that will be: then the read meets the RST
			c.(*net.TCPConn).SetLinger(0)
			c.Close()
		}
	})
	defer serving.Wait()
	defer listener.Close()
	r, err := probeReal(t, "http://"+listener.Addr().String(), nil)
	if err != nil || r.KeepAlive.Broken != "the connection was reset" {
		t.Errorf("got %+v, %v", r, err)
	}
}
