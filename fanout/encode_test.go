package fanout

import (
	"testing"

	"github.com/mirrorgate/mirrorgate/codec"
	"github.com/mirrorgate/mirrorgate/fanout/internal/wire"
)

// sent returns what the first target of f is sent for r, or the reason for which
// r is rejected.
func sent(t testing.TB, f *Fanout, r codec.Request) string {
	t.Helper()
	var p wire.Prepared
	if reject := f.prepare(&p, &r); reject != codec.RejectNone {
		return reject.String()
	}
	pl := serialise(f, &p)
	if len(pl.buf) > p.Size() {
		t.Errorf("%d bytes in wire format, Prepare said at most %d", len(pl.buf), p.Size())
	}
	c := &conn{t: f.targets[0]}
	c.batch = []entry{{payload: pl}}
	first, tail := c.encode(nil)
	return string(first) + string(tail)
}

const marker = "X-Mirrored-By: mirrorgate\r\n\r\n"

// What a target puts into a request: a prefix in front of the path, and Host.
func TestTargetPathAndHost(t *testing.T) {
	check := func(spec string) func(r codec.Request, want string) {
		f := newFanout(t, nil, spec)
		t.Cleanup(func() { drain(t, f) })
		return func(r codec.Request, want string) {
			t.Helper()
			if got := sent(t, f, r); got != want {
				t.Errorf("%s %s:\n got %q\nwant %q", r.Method, r.Target, got, want)
			}
		}
	}

	f := check("http://target:8080")
	f(request("GET", "/a?b=c", "", "host", "h"), "GET /a?b=c HTTP/1.1\r\nhost: h\r\n"+marker)
	f(request("GET", "/a%20b?c=%zz", ""), "GET /a%20b?c=%zz HTTP/1.1\r\nhost: target:8080\r\n"+marker)
	f(request("GET", "/", "", "x", "caf\xc3\xa9 \x80\xff\t!"), "GET / HTTP/1.1\r\nhost: target:8080\r\nx: caf\xc3\xa9 \x80\xff\t!\r\n"+marker)
	// Host: the request's, then the URL's, then the target's.
	f(request("GET", "http://u/p", "", "host", "h"), "GET /p HTTP/1.1\r\nhost: h\r\n"+marker)
	f(request("GET", "http://u:81/p", "", "x", "y"), "GET /p HTTP/1.1\r\nhost: u:81\r\nx: y\r\n"+marker)
	f(request("GET", "/", "", "host", ""), "GET / HTTP/1.1\r\nhost: \r\n"+marker)

	f = check("http://target/pre/fix/")
	f(request("GET", "/", "", "host", "h"), "GET /pre/fix/ HTTP/1.1\r\nhost: h\r\n"+marker)
	f(request("GET", "/a?b", "abc", "host", "h"), "GET /pre/fix/a?b HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\n"+marker+"abc")
	f(request("GET", "//a", "", "host", "h"), "GET /pre/fix//a HTTP/1.1\r\nhost: h\r\n"+marker)
	f(request("GET", "http://h?q", ""), "GET /pre/fix/?q HTTP/1.1\r\nhost: h\r\n"+marker)
	f(request("GET", "/a", ""), "GET /pre/fix/a HTTP/1.1\r\nhost: target\r\n"+marker)
	f(request("OPTIONS", "*", "", "host", "h"), "OPTIONS * HTTP/1.1\r\nhost: h\r\n"+marker)

	f = check("http://target:8080/p%20q,host=target")
	f(request("GET", "/a", "", "x", "1", "Host", "h", "y", "2"), "GET /p%20q/a HTTP/1.1\r\nx: 1\r\nhost: target:8080\r\ny: 2\r\n"+marker)
	f(request("GET", "http://u/a", "", "x", "1"), "GET /p%20q/a HTTP/1.1\r\nhost: target:8080\r\nx: 1\r\n"+marker)
	f(request("GET", "/a", "", "x", "1"), "GET /p%20q/a HTTP/1.1\r\nhost: target:8080\r\nx: 1\r\n"+marker)

	f = check("http://target,host=shadow.example:1")
	f(request("GET", "/a", "", "connection", "x", "x", "1", "host", "h"), "GET /a HTTP/1.1\r\nhost: shadow.example:1\r\n"+marker)
	f(request("GET", "/a", "", "x", "1"), "GET /a HTTP/1.1\r\nhost: shadow.example:1\r\nx: 1\r\n"+marker)
}
