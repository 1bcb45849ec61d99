package e2e

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/readings"
)

var oneTarget = map[string][]string{"127.0.0.1": {"127.0.0.1"}} // by their host

// bodyOf returns n bytes that differ, so that a piece out of place is seen.
func bodyOf(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('a' + i*7%26)
	}
	return string(b)
}

func chunked(body string, size int) string {
	var b strings.Builder
	for len(body) > 0 {
		n := min(len(body), size)
		fmt.Fprintf(&b, "%x\r\n%s\r\n", n, body[:n])
		body = body[n:]
	}
	return b.String() + "0\r\n\r\n"
}

// semantics sends requests through HAProxy and looks at what its target got.
type semantics struct {
	t        *testing.T
	addr     string
	origin   *recorder
	target   *recorder
	agent    *agent
	received int64
}

func newSemantics(t *testing.T, spoe string) *semantics {
	s := &semantics{t: t, origin: startRecorder(t), target: startRecorder(t)}
	s.agent = startAgent(t, "--target", s.target.url()+",upgrade=true")
	s.addr = startProxy(t, spoe, s.origin.addr(), s.agent)
	return s
}

// arrives sends a request and checks that the target gets exactly this one: its
// line, its fields but the marker, one on each line, and its body.
func (s *semantics) arrives(name string, send func(t *testing.T), line, headers, body string) {
	s.t.Run(name, func(t *testing.T) {
		before := s.target.count()
		send(t)
		s.received++
		eventually(t, "the target got the request", func() bool { return s.target.count() > before })
		got := s.target.all()[before]
		if got.line != line {
			t.Errorf("request line is %q, want %q", got.line, line)
		}
		const marker = "X-Mirrored-By: mirrorgate"
		fields := slices.DeleteFunc(got.headers, func(h string) bool { return h == marker })
		if len(fields) != len(got.headers)-1 {
			t.Errorf("the marker is not there once: %q", got.headers)
		}
		if text := strings.Join(fields, "\n"); text != headers {
			t.Errorf("headers are\n%s\nwant\n%s", text, headers)
		}
		if got.body != body {
			t.Errorf("body of %d bytes differs from the one sent, of %d bytes", len(got.body), len(body))
		}
	})
}

// rejected sends a request and checks that mirrorgate counts it under the reason.
func (s *semantics) rejected(name string, send func(t *testing.T), reason string) {
	s.t.Run(name, func(t *testing.T) {
		label := readings.Of("reason", reason)
		before := s.agent.counters()
		send(t)
		s.received++
		eventually(t, "mirrorgate got the request", func() bool {
			return s.agent.counters().Count("mirrorgate_requests_received_total") == s.received
		})
		after := s.agent.counters()
		const family = "mirrorgate_requests_rejected_total"
		if got := after.Count(family, label) - before.Count(family, label); got != 1 {
			t.Errorf("%d rejected as %s, want 1; all rejected: %v", got, reason, after.By("reason", family))
		}
	})
}

// exactlyOnce checks at the end that nothing came twice, or late.
func (s *semantics) exactlyOnce() {
	s.t.Helper()
	c := s.agent.atRest(s.received, oneTarget)
	if got := s.target.count(); int64(got) != c.Accepted() {
		s.t.Errorf("target got %d requests, want %d", got, c.Accepted())
	}
}

// raw returns a sender of the bytes, see sendsBytes.
func (s *semantics) raw(request string) func(t *testing.T) {
	return func(t *testing.T) {
		t.Helper()
		sendsBytes(request)(t, s.addr)
	}
}

// h2 returns a sender over HTTP/2, see sendH2.
func (s *semantics) h2(method, path string, body io.Reader) func(t *testing.T) {
	return func(t *testing.T) {
		t.Helper()
		sendH2(t, s.addr, method, path, body, 0)
	}
}

// sendH2 sends a request with that many fields more over HTTP/2 without TLS. Of a
// body that is only read its length is unknown.
func sendH2(t *testing.T, addr, method, path string, body io.Reader, fields int) {
	t.Helper()
	transport := &http.Transport{Protocols: new(http.Protocols), DisableCompression: true}
	transport.Protocols.SetUnencryptedHTTP2(true)
	defer transport.CloseIdleConnections()
	req, err := http.NewRequest(method, "http://"+addr+path, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "h2.example.com"
	req.Header = http.Header{"User-Agent": {"test"}, "Cookie": {"a=1; b=2"}, "Te": {"trailers"}}
	for i := range fields {
		req.Header.Set(fmt.Sprint("X-", i), fmt.Sprint(i))
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK || resp.ProtoMajor != 2 {
		t.Errorf("production answered %d over %s", resp.StatusCode, resp.Proto)
	}
}

// onlyReader hides the length of what it reads.
type onlyReader struct{ io.Reader }

func TestHAProxyRequestsArriveIntact(t *testing.T) {
	s := newSemantics(t, sizedSPOE)
	for _, c := range wireCases() {
		headers := strings.Replace(c.headers, noHost, "host: "+s.target.addr(), 1)
		s.arrives(c.name, func(t *testing.T) { t.Helper(); c.send(t, s.addr) }, c.line, headers, c.body)
	}
	s.exactlyOnce()
}

// The response to a HEAD declares a length that no body follows; what is behind it
// on the same connection must not be taken for that body.
func TestHAProxyHeadKeepsTheConnection(t *testing.T) {
	origin, target := startRecorder(t), startRecorder(t)
	a := startAgent(t, "--target", target.url()+",conns=1")
	addr := startProxy(t, sizedSPOE, origin.addr(), a)
	var want []string
	for i := range 50 {
		method := []string{"HEAD", "GET"}[i%2]
		sendRaw(t, addr, fmt.Sprintf("%s /%d HTTP/1.1\r\nHost: example.com\r\n\r\n", method, i))
		want = append(want, fmt.Sprintf("%s /%d HTTP/1.1", method, i))
	}
	c := a.atRest(50, oneTarget)
	var got []string
	for _, r := range target.all() {
		got = append(got, r.line)
	}
	// The order may change: HAProxy goes on with the ACK, before our Submit, and
	// its next request may come by another connection.
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("target got %q", got)
	}
	if opened, answered := c.Count("mirrorgate_target_connections_opened_total"), c.Count("mirrorgate_target_responses_total", readings.Of("code", "2xx")); opened != 1 || answered != 50 {
		t.Errorf("%d responses over %d connections, want 50 over 1", answered, opened)
	}
}

func TestHAProxyRequestsThatAreNotMirrored(t *testing.T) {
	s := newSemantics(t, sizedSPOE)
	body := bodyOf(100_000)
	s.rejected("POST of 100 kB", s.raw("POST /p HTTP/1.1\r\nHost: example.com\r\nContent-Length: 100000\r\n\r\n"+body), "truncated")
	s.rejected("chunked POST of 100 kB", s.raw("POST /p HTTP/1.1\r\nHost: example.com\r\nTransfer-Encoding: chunked\r\n\r\n"+chunked(body, 3000)), "truncated")
	s.rejected("HTTP/2 POST of 100 kB", s.h2("POST", "/p", strings.NewReader(body)), "truncated")
	s.rejected("HTTP/2 POST of 100 kB without a length", s.h2("POST", "/p", onlyReader{strings.NewReader(body)}), "truncated")
	s.rejected("CONNECT", s.raw("CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n"), "connect")
	s.rejected("loop", s.raw("GET / HTTP/1.1\r\nHost: example.com\r\nX-Mirrored-By: mirrorgate\r\n\r\n"), "loop")
	s.exactlyOnce()
	if got := s.target.all(); len(got) > 0 {
		t.Errorf("target got %q", got)
	}
	if got := s.origin.count(); got != int(s.received) {
		t.Errorf("production got %d requests, want %d", got, s.received)
	}
}

func TestHAProxyDocumentedConfigurationWorksUnchanged(t *testing.T) {
	s := newSemantics(t, documentedSPOE)
	body := bodyOf(14_000)
	s.arrives("GET", s.raw("GET /a?b=c HTTP/1.1\r\nHost: example.com\r\n\r\n"), "GET /a?b=c HTTP/1.1", "host: example.com", "")
	s.arrives("POST", s.raw("POST / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 14000\r\n\r\n"+body),
		"POST / HTTP/1.1", "host: example.com\ncontent-length: 14000", body)
	s.arrives("HTTP/2", s.h2("GET", "/h2", nil), "GET /h2 HTTP/1.1", "host: h2.example.com\nuser-agent: test\ncookie: a=1; b=2", "")
	s.exactlyOnce()
}
