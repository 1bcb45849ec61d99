package e2e

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/readings"
)

// bodySender sends a POST with the body and that many fields more, so that its
// length is told in one way or in none.
type bodySender struct {
	name   string
	length bool // is declared
	send   func(t *testing.T, addr, body string, fields int)
}

func fieldLines(n int) (lines string) {
	for i := range n {
		lines += fmt.Sprintf("x-%d: %d\r\n", i, i)
	}
	return lines
}

func sendsRaw(format func(body string) string) func(t *testing.T, addr, body string, fields int) {
	return func(t *testing.T, addr, body string, fields int) {
		t.Helper()
		status, _ := sendRaw(t, addr, "POST /p HTTP/1.1\r\nHost: example.com\r\n"+fieldLines(fields)+format(body))
		if status != http.StatusOK {
			t.Errorf("production answered %d", status)
		}
	}
}

func sendsH2(reader func(body string) io.Reader) func(t *testing.T, addr, body string, fields int) {
	return func(t *testing.T, addr, body string, fields int) {
		t.Helper()
		sendH2(t, addr, "POST", "/p", reader(body), fields)
	}
}

var bodySenders = []bodySender{
	{"Content-Length", true, sendsRaw(func(body string) string {
		return fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body)
	})},
	{"chunked", false, sendsRaw(func(body string) string { return "Transfer-Encoding: chunked\r\n\r\n" + chunked(body, 3000) })},
	{"small chunks", false, sendsRaw(func(body string) string { return "Transfer-Encoding: chunked\r\n\r\n" + chunked(body, 50) })},
	{"one chunk", false, sendsRaw(func(body string) string {
		return fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(body), body)
	})},
	{"HTTP/2 with a length", true, sendsH2(func(body string) io.Reader { return strings.NewReader(body) })},
	{"HTTP/2 without a length", false, sendsH2(func(body string) io.Reader { return onlyReader{strings.NewReader(body)} })},
	{"HTTP/2 in small frames", false, sendsH2(func(body string) io.Reader { return sipReader{strings.NewReader(body)} })},
}

func sender(name string) bodySender {
	return bodySenders[slices.IndexFunc(bodySenders, func(s bodySender) bool { return s.name == name })]
}

// sipReader returns little at once, and each time is a DATA frame.
type sipReader struct{ r io.Reader }

func (s sipReader) Read(p []byte) (int, error) { return s.r.Read(p[:min(len(p), 100)]) }

// bodies sends bodies and says what became of them.
type bodies struct {
	origin, target *recorder
	agent          *agent
	proxy          *interop
	addr           string
	received       int64
}

func startBodies(t *testing.T, o proxyOptions, options ...string) *bodies {
	b := &bodies{target: startRecorder(t)}
	b.agent = startAgent(t, append(options, "--target", b.target.url())...)
	p := startInterop(t, o, b.agent.spop)
	b.proxy, b.addr, b.origin = p, p.addr, p.origin
	return b
}

// arrives reports whether the body arrived, whole, or else was rejected as
// truncated. Anything else is an error.
func (b *bodies) arrives(t *testing.T, s bodySender, size, fields int) bool {
	t.Helper()
	body := bodyOf(size)
	before, arrived := b.agent.counters(), b.target.count()
	s.send(t, b.addr, body, fields)
	b.received++
	const rejected = "mirrorgate_requests_rejected_total"
	var after readings.Reading
	eventually(t, "it arrives or is rejected", func() bool {
		after = b.agent.counters()
		return b.target.count() > arrived || after.Count(rejected) > before.Count(rejected)
	})
	if got := b.origin.all()[b.received-1].body; got != body {
		t.Errorf("production got %d bytes of %d", len(got), size)
	}
	if after.Count(rejected)-before.Count(rejected) == 1 {
		if truncated := readings.Of("reason", "truncated"); after.Count(rejected, truncated)-before.Count(rejected, truncated) != 1 {
			t.Errorf("%s, %d bytes: rejected as %v", s.name, size, after.By("reason", rejected))
		}
		return false
	}
	if n := b.target.count() - arrived; n != 1 {
		t.Errorf("%s, %d bytes, %d fields: arrived %d times", s.name, size, fields, n)
		return false
	}
	if got := b.target.all()[arrived].body; got != body {
		t.Errorf("%s, %d bytes, %d fields: %d arrived", s.name, size, fields, len(got))
	}
	return true
}

// Up to the limit of HAProxy's buffer a body arrives whole, beyond it none does;
// near it, it is one or the other. The limit is lower where no length is declared.
func TestHAProxyBodies(t *testing.T) {
	f := func(bufsize int, spoe string, steps int, senders ...bodySender) {
		t.Run(fmt.Sprint("tune.bufsize ", bufsize), func(t *testing.T) {
			b := startBodies(t, proxyOptions{mode: "tcp", bufsize: bufsize, spoe: spoe})
			for _, s := range senders {
				limit := bufsize - 2000
				if !s.length {
					limit -= bufsize / 8
				}
				for _, size := range []int{0, limit / 3, limit} {
					if !b.arrives(t, s, size, 5) {
						t.Errorf("%s: %d bytes are counted as truncated", s.name, size)
					}
				}
				if b.arrives(t, s, 2*bufsize, 5) {
					t.Errorf("%s: %d bytes arrived", s.name, 2*bufsize)
				}
				for i := range steps {
					for _, fields := range []int{0, 60} {
						b.arrives(t, s, bufsize-1800+i*1000/steps, fields)
					}
				}
			}
			b.agent.atRest(b.received, oneTarget)
			b.agent.inPeace()
		})
	}
	f(16384, documentedSPOE, 5, bodySenders...)
	f(16384, sizedSPOE, 5, bodySenders...)
	f(65536, sizedSPOE, 1, bodySenders...)
	f(1<<20, sizedSPOE, 1, sender("Content-Length"), sender("one chunk"), sender("HTTP/2 without a length"))
}

// With --truncated send, what came goes out, with its own length and a field that
// tells.
func TestHAProxyTruncatedBodiesAreSent(t *testing.T) {
	b := startBodies(t, proxyOptions{mode: "tcp"}, "--truncated", "send")
	for _, s := range bodySenders {
		body := bodyOf(100_000)
		arrived := b.target.count()
		s.send(t, b.addr, body, 0)
		eventually(t, "it arrives", func() bool { return b.target.count() > arrived })
		got := b.target.all()[arrived]
		if n := len(got.body); n < 13_000 || n > 16_384 || got.body != body[:n] ||
			got.header("content-length") != fmt.Sprint(n) || got.header("X-Mirrored-Truncated") != "true" {
			t.Errorf("%s: %d bytes arrived, with %q", s.name, n, got.headers)
		}
	}
	b.agent.atRest(int64(len(bodySenders)), oneTarget)
}

// With a buffer below HAProxy's default the checks pass, and requests come, for
// longer than it takes to be down.
func TestHAProxyChecksWithSmallBuffers(t *testing.T) {
	for _, bufsize := range []int{4096, 8192} {
		b := startBodies(t, proxyOptions{mode: agentModes()[0], bufsize: bufsize})
		checks := func() int64 { return b.agent.counters().Count("mirrorgate_spop_frames_total", `type="haproxy-hello"`) }
		first := checks()
		eventually(t, "there are three more checks", func() bool { return checks() >= first+3 })
		for range 5 {
			if !b.arrives(t, sender("Content-Length"), 1000, 5) {
				t.Errorf("tune.bufsize %d: 1000 bytes are counted as truncated", bufsize)
			}
		}
		b.agent.inPeace()
		b.proxy.inPeace(t)
	}
}

// HAProxy 2.6 and 3.0 cut a NOTIFY into frames of the size that their spoe-agent
// says. Later ones cannot, and send nothing that is larger.
func TestHAProxyFragments(t *testing.T) {
	for _, frame := range []int{256, 1000, 4096, 16380} {
		t.Run(fmt.Sprint("max-frame-size ", frame), func(t *testing.T) {
			if proxyVersion.Mux() {
				checkTooLarge(t, frame)
				return
			}
			b := startBodies(t, proxyOptions{mode: "tcp", frame: frame, threads: 2})
			for _, s := range []bodySender{sender("Content-Length"), sender("one chunk"), sender("HTTP/2 without a length")} {
				for _, size := range []int{0, frame / 2, min(frame, 12_500), 12_500} {
					if !b.arrives(t, s, size, 5) {
						t.Errorf("%s: %d bytes are counted as truncated", s.name, size)
					}
				}
				if b.arrives(t, s, 30_000, 5) {
					t.Errorf("%s: 30000 bytes arrived", s.name)
				}
			}
			c := newCrowd(b.addr)
			c.run(64, upTo(1000), func(_ int64, req *fasthttp.Request) {
				req.Header.SetMethod("POST")
				req.SetBodyString(bodyOf(3000))
			})
			c.unharmed(t)
			b.agent.atRest(b.received+1000, oneTarget)
			b.agent.inPeace()
			unset := b.agent.counters().Count("mirrorgate_spop_frames_total", `type="unset"`)
			if small := frame < 16380; small != (unset > 0) {
				t.Errorf("%d frames continue a NOTIFY", unset)
			}
		})
	}
}

// checkTooLarge checks that what does not fit into a frame is not sent, and what
// does is mirrored.
func checkTooLarge(t *testing.T, frame int) {
	b := startBodies(t, proxyOptions{mode: "spop", frame: frame})
	const head = "POST /p HTTP/1.1\r\nHost: example.com\r\nContent-Length: "
	if !b.arrives(t, sender("Content-Length"), 10, 0) {
		t.Error("10 bytes are counted as truncated")
	}
	if frame < 16380 {
		body := bodyOf(frame)
		status, header := sendRaw(t, b.addr, head+fmt.Sprint(len(body))+"\r\n\r\n"+body)
		const tooBig = "3"
		if status != http.StatusOK || header.Get("spoe-error") != tooBig {
			t.Errorf("production answered %d, error of SPOE %q, want %s", status, header.Get("spoe-error"), tooBig)
		}
	}
	b.agent.atRest(1, oneTarget)
	b.agent.inPeace()
}
