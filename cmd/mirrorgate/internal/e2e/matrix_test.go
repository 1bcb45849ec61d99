package e2e

import (
	"fmt"
	"io"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Each wire case goes through each kind of configuration that config haproxy
// prints, and what arrives at the target is what the origin got.
func TestHAProxyMatrix(t *testing.T) {
	f := func(name, options, agentOptions string, check func(m *matrix)) {
		for _, event := range []string{"request", "response"} {
			t.Run(name+" at the "+event, func(t *testing.T) {
				t.Parallel()
				check(runMatrix(t, append(strings.Fields(options), "--event="+event), strings.Fields(agentOptions)))
			})
		}
	}
	f("plain", "", "", (*matrix).allArrived)
	f("steered", "--steer", "--steer", (*matrix).allArrived)
	f("sampled", "--sample=50%", "", (*matrix).someArrived)
	f("large bodies", "--max-body=64k", "", (*matrix).allArrived)
	f("unix socket", "", "--listen="+unixSocket, (*matrix).allArrived)
	f("without bodies", "--no-body", "--truncated=send", (*matrix).bodiesStayed)
	f("without what has a body", "--no-body", "", (*matrix).bodilessArrived)
}

// unixSocket stands for one in the test's own directory.
const unixSocket = "unix:SOCKET"

// matrix is what one run of all cases left behind.
type matrix struct {
	t              *testing.T
	names          []string   // of the cases, as they were sent
	origin, target []recorded // without what concerns one connection only
	agent          *agent     // has ended
}

// startMatrix starts a HAProxy as config haproxy says, with all that it needs.
func startMatrix(t *testing.T, options, agentOptions []string) (addr string, origin, target *recorder, a *agent) {
	origin, target = startRecorder(t), startRecorder(t)
	socket := ""
	for i, option := range agentOptions {
		if strings.HasSuffix(option, unixSocket) {
			socket = "unix:" + filepath.Join(t.TempDir(), "spop")
			agentOptions[i] = strings.Replace(option, unixSocket, socket, 1)
		}
	}
	a = startAgent(t, append(agentOptions, "--target="+target.url()+",upgrade=true")...)
	if socket == "" {
		socket = a.spop
	}
	return startPrinted(t, origin.addr(), append(options, "--agents="+socket)...), origin, target, a
}

// runMatrix sends all cases, one after the other, through a HAProxy of its own. When
// mirrorgate has ended nothing is under way any more.
func runMatrix(t *testing.T, options, agentOptions []string) *matrix {
	addr, origin, target, a := startMatrix(t, options, agentOptions)
	m := &matrix{t: t, agent: a}
	cases := wireCases()
	if slices.Contains(options, "--max-body=64k") {
		cases = append(cases, largeCases()...)
	}
	for _, c := range cases {
		c.send(t, addr)
		m.names = append(m.names, c.name)
	}
	m.agent.stop(t)
	for _, r := range origin.all() {
		m.origin = append(m.origin, endToEnd(r))
	}
	for _, r := range target.all() {
		m.target = append(m.target, endToEnd(r, "X-Mirrored-By: mirrorgate", "host: "+target.addr()))
	}
	if len(m.origin) != len(m.names) {
		t.Fatalf("production got %d requests, want %d", len(m.origin), len(m.names))
	}
	return m
}

// endToEnd leaves out of a request what concerns one connection only, the form of
// its target and its version among that, and lines that only one side has. The key
// of a websocket that came by HTTP/2 is HAProxy's own.
func endToEnd(r recorded, oneSided ...string) recorded {
	method, rest, _ := strings.Cut(r.line, " ")
	path, _, _ := strings.Cut(rest, " ")
	if u, err := url.Parse(path); err == nil && u.Scheme != "" {
		path = strings.TrimPrefix(path, u.Scheme+"://"+u.Host)
	}
	hops := []string{"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "expect", "Sec-Websocket-Key"}
	for name := range strings.SplitSeq(r.header("connection"), ",") {
		hops = append(hops, strings.ToLower(strings.TrimSpace(name)))
	}
	headers := slices.DeleteFunc(slices.Clone(r.headers), func(h string) bool {
		name, _, _ := strings.Cut(h, ":")
		return slices.Contains(hops, name) || slices.Contains(oneSided, h)
	})
	return recorded{line: method + " " + path, headers: headers, body: r.body}
}

// without returns the request less the fields that have the name.
func (r recorded) without(name string) recorded {
	r.headers = slices.DeleteFunc(slices.Clone(r.headers), func(h string) bool { return strings.HasPrefix(h, name+": ") })
	return r
}

// whole reports whether a copy is what the origin got. A length that the origin was
// not told is that of the body.
func whole(origin, target recorded) bool {
	if origin.header("content-length") == "" {
		if length := target.header("content-length"); length != "" && length != fmt.Sprint(len(target.body)) {
			return false
		}
		target = target.without("content-length")
	}
	return same(origin, target)
}

// emptied reports whether a copy is what the origin got but for the body, and says
// so where there was one.
func emptied(origin, target recorded) bool {
	if origin.body == "" {
		return whole(origin, target)
	}
	if target.header("X-Mirrored-Truncated") != "true" || target.header("content-length") != "0" && origin.header("content-length") != "" {
		return false
	}
	origin.body = ""
	return same(origin.without("content-length"), target.without("content-length").without("X-Mirrored-Truncated"))
}

func same(a, b recorded) bool {
	return a.line == b.line && slices.Equal(a.headers, b.headers) && a.body == b.body
}

// match finds the copy of each request of the origin and returns the cases without
// one. A copy of none of them is an error.
func (m *matrix) match(isCopy func(origin, target recorded) bool) (missing []int) {
	m.t.Helper()
	copies := slices.Clone(m.target)
	for i, r := range m.origin {
		at := slices.IndexFunc(copies, func(c recorded) bool { return isCopy(r, c) })
		if at < 0 {
			missing = append(missing, i)
			continue
		}
		copies = slices.Delete(copies, at, at+1)
	}
	for _, c := range copies {
		m.t.Errorf("the origin never got what the target got: %s %q, %d bytes", c.line, c.headers, len(c.body))
	}
	return missing
}

func (m *matrix) arrived(want int) {
	m.t.Helper()
	if n := len(m.target); n != want {
		m.t.Errorf("%d requests arrived, want %d", n, want)
	}
	if n := m.agent.receivedAtEnd(); n != int64(want) {
		m.t.Errorf("mirrorgate received %d requests, want %d", n, want)
	}
}

func (m *matrix) lacks(cases []int) {
	m.t.Helper()
	for _, i := range cases {
		m.t.Errorf("%s did not arrive as the origin got it: %s %q, %d bytes", m.names[i], m.origin[i].line, m.origin[i].headers, len(m.origin[i].body))
	}
}

// allArrived checks that each request arrived once, as it was.
func (m *matrix) allArrived() {
	m.lacks(m.match(whole))
	m.arrived(len(m.names))
}

// someArrived checks that what HAProxy sent arrived as it was. That it is all or
// nothing is as likely as to toss so many coins and see one side only.
func (m *matrix) someArrived() {
	m.arrived(len(m.names) - len(m.match(whole)))
	if n := len(m.target); n == 0 || n == len(m.names) {
		m.t.Errorf("%d of %d requests arrived, want about half", n, len(m.names))
	}
}

// bodiesStayed checks that each request arrived once, and its body did not.
func (m *matrix) bodiesStayed() {
	m.lacks(m.match(emptied))
	m.arrived(len(m.names))
}

// bodilessArrived checks that what has no body arrived as it was, and the rest was
// counted.
func (m *matrix) bodilessArrived() {
	missing := m.match(whole)
	for i, r := range m.origin {
		if slices.Contains(missing, i) != (r.body != "") {
			m.t.Errorf("%s, a body of %d bytes: missing %v", m.names[i], len(r.body), !(r.body != ""))
		}
	}
	if got, want := m.agent.rejectedAtEnd(), map[string]any{"no_body": float64(len(missing))}; !maps.Equal(got, want) {
		m.t.Errorf("rejected are %v, want %v", got, want)
	}
}

// rejectedAtEnd is what the log says of it.
func (a *agent) rejectedAtEnd() map[string]any {
	rejected, _ := a.log.all("requests")[0]["rejected"].(map[string]any)
	return rejected
}

// What cannot be mirrored is counted, whatever the configuration, and nothing of it
// arrives.
func TestHAProxyMatrixRejects(t *testing.T) {
	body := bodyOf(200_000)
	const post = "POST /p HTTP/1.1\r\nHost: example.com\r\n"
	cut := []func(t *testing.T, addr string){
		sendsBytes(post + "Content-Length: 200000\r\n\r\n" + body),
		sendsBytes(post + "Transfer-Encoding: chunked\r\n\r\n" + chunked(body, 3000)),
		sendsHTTP2("POST", "/p", func() io.Reader { return strings.NewReader(body) }),
		sendsHTTP2("PATCH", "/p", func() io.Reader { return onlyReader{strings.NewReader(body)} }),
	}
	f := func(name, options string) {
		for _, event := range []string{"request", "response"} {
			t.Run(name+" at the "+event, func(t *testing.T) {
				t.Parallel()
				addr, origin, target, a := startMatrix(t, append(strings.Fields(options), "--event="+event), nil)
				for _, send := range cut {
					send(t, addr)
				}
				sendsBytes("CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n")(t, addr)
				sendsBytes("GET / HTTP/1.1\r\nHost: example.com\r\nX-Mirrored-By: mirrorgate\r\n\r\n")(t, addr)
				a.stop(t)
				if got, want := a.rejectedAtEnd(), map[string]any{"truncated": float64(len(cut)), "connect": 1.0, "loop": 1.0}; !maps.Equal(got, want) {
					t.Errorf("rejected are %v, want %v", got, want)
				}
				if got := target.all(); len(got) > 0 {
					t.Errorf("target got %q", got)
				}
				if got, want := origin.count(), len(cut)+2; got != want {
					t.Errorf("production got %d requests, want %d", got, want)
				}
			})
		}
	}
	f("plain", "")
	f("large bodies", "--max-body=64k")
}
