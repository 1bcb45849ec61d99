package wire

import (
	"slices"
	"strings"
	"testing"

	"github.com/mirrorgate/mirrorgate/codec"
)

// request is what HAProxy sends of a request, with names and values in turn.
func request(method, target, body string, headers ...string) codec.Request {
	var raw []byte
	for i := 0; i < len(headers); i += 2 {
		raw = codec.AppendHeader(raw, headers[i], headers[i+1])
	}
	return codec.Request{
		Method: []byte(method), Target: []byte(target), Version: []byte("1.1"),
		Headers: codec.Headers{Raw: codec.AppendHeadersEnd(raw)}, Body: []byte(body), BodySize: -1,
	}
}

// sent returns r in wire format, or the reason for which it is rejected.
func sent(t testing.TB, rules *Rules, r codec.Request) string {
	t.Helper()
	var p Prepared
	if reject := rules.Prepare(&p, &r); reject != codec.RejectNone {
		return reject.String()
	}
	const before = "before"
	b, l := rules.Append([]byte(before), &p)
	if len(b)-len(before) > p.Size() {
		t.Errorf("%d bytes in wire format, Prepare said at most %d", len(b)-len(before), p.Size())
	}
	if host := string(b[l.HostStart:l.HostEnd]); host != "" && !strings.EqualFold(host[:min(len(host), 6)], "host: ") {
		t.Errorf("%q: the line of Host is %q", b, host)
	}
	if line, path := string(r.Method)+" ", string(b[:l.Path]); path != before+line {
		t.Errorf("%q: the path stands behind %q", b, path)
	}
	return string(b[len(before):])
}

const marker = "X-Mirrored-By: mirrorgate\r\n\r\n"

func TestAppend(t *testing.T) {
	check := func(o Options) func(r codec.Request, want string) {
		rules := NewRules(o)
		return func(r codec.Request, want string) {
			t.Helper()
			if got := sent(t, rules, r); got != want {
				t.Errorf("%s %s:\n got %q\nwant %q", r.Method, r.Target, got, want)
			}
		}
	}

	f := check(Options{})
	f(request("GET", "/a?b=c", "", "host", "h"), "GET /a?b=c HTTP/1.1\r\nhost: h\r\n"+marker)
	f(request("GET", "/a%20b?c=%zz", ""), "GET /a%20b?c=%zz HTTP/1.1\r\n"+marker)
	// Order and duplicates stay, and so does the spelling of names.
	f(request("GET", "/", "", "b", "1", "Host", "h", "A", "2", "b", "3", "cookie", "x", "cookie", "y", "empty", ""),
		"GET / HTTP/1.1\r\nb: 1\r\nHost: h\r\nA: 2\r\nb: 3\r\ncookie: x\r\ncookie: y\r\nempty: \r\n"+marker)
	f(request("GET", "/", "", "x", "caf\xc3\xa9 \x80\xff\t!"), "GET / HTTP/1.1\r\nx: caf\xc3\xa9 \x80\xff\t!\r\n"+marker)
	f(request("GET", "/\x80\xff", ""), "GET /\x80\xff HTTP/1.1\r\n"+marker)
	// Host: the request's, then the URL's; else it is for the target to say.
	f(request("GET", "http://u/p", "", "host", "h"), "GET /p HTTP/1.1\r\nhost: h\r\n"+marker)
	f(request("GET", "http://u:81/p", "", "x", "y"), "GET /p HTTP/1.1\r\nhost: u:81\r\nx: y\r\n"+marker)
	f(request("GET", "/", "", "host", ""), "GET / HTTP/1.1\r\nhost: \r\n"+marker)
	// Without a body, a length only where one belongs.
	for _, method := range []string{"POST", "PUT", "PATCH"} {
		f(request(method, "/", "", "host", "h"), method+" / HTTP/1.1\r\nhost: h\r\ncontent-length: 0\r\n"+marker)
	}
	for _, method := range []string{"GET", "DELETE", "PURGE", "TRACE"} {
		f(request(method, "/", "", "host", "h"), method+" / HTTP/1.1\r\nhost: h\r\n"+marker)
	}
	f(request("DELETE", "/", "", "host", "h", "content-length", "0"), "DELETE / HTTP/1.1\r\nhost: h\r\ncontent-length: 0\r\n"+marker)
	// A length that is right stays where it is; what is wrong is replaced.
	f(request("POST", "/", "abc", "content-length", "3", "host", "h"), "POST / HTTP/1.1\r\ncontent-length: 3\r\nhost: h\r\n"+marker+"abc")
	f(request("POST", "/", "abc", "content-length", "2", "host", "h"), "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\n"+marker+"abc")
	f(request("POST", "/", "abc", "content-length", "3", "host", "h", "content-length", "3"), "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\n"+marker+"abc")
	for _, unreadable := range []string{"", "x", "+3", "-1", "3, 3", "0x3", "1234567890123456789", "99999999999999999999"} {
		f(request("POST", "/", "abc", "content-length", unreadable, "host", "h"), "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\n"+marker+"abc")
	}
	// Hop-by-hop fields go, and those that Connection names, but not what the
	// request could not be read without.
	f(request("GET", "/", "", "Connection", "X-Foo , host", "keep-alive", "5", "Proxy-Connection", "x", "TE", "trailers", "trailer", "x",
		"Transfer-Encoding", "chunked", "upgrade", "h2c", "Expect", "100-continue", "x-foo", "1", "X-FOO", "2", "host", "h", "connection", "bar,,content-length", "bar", "3", "foo", "4"),
		"GET / HTTP/1.1\r\nhost: h\r\nfoo: 4\r\n"+marker)
	f(request("POST", "/", "abc", "connection", "content-length", "content-length", "3", "host", "h"),
		"POST / HTTP/1.1\r\ncontent-length: 3\r\nhost: h\r\n"+marker+"abc")
	f(request("POST", "/", "a\r\n0\r\n\r\n", "transfer-encoding", "chunked", "host", "h"),
		"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 8\r\n"+marker+"a\r\n0\r\n\r\n")
	f(request("GET", "/", "", "host", "h", "connection", strings.Repeat("x, ,", 32), "x", "1"), "GET / HTTP/1.1\r\nhost: h\r\n"+marker)
	f(request("GET", "/", "", "host", "h", "connection", strings.Repeat("x,", 33), "x", "1"), "malformed")
	f(request("GET", "/", "", slices.Repeat([]string{"connection", "x"}, 33)...), "malformed")
	f(request("OPTIONS", "*", "", "host", "h"), "OPTIONS * HTTP/1.1\r\nhost: h\r\n"+marker)
	f(request("OPTIONS", "http://h", ""), "OPTIONS * HTTP/1.1\r\nhost: h\r\n"+marker)
	// Text, as req.hdrs gives it.
	text := request("GET", "/", "")
	text.Headers = codec.Headers{Raw: []byte("Host: h\r\nX:  a b \t\r\nConnection: x\r\nx: \r\nY:z\r\n\r\n"), Text: true}
	f(text, "GET / HTTP/1.1\r\nHost: h\r\nY: z\r\n"+marker)

	long := strings.Repeat("long-", 10)
	f = check(Options{
		SetHeaders: []Header{{"X-Env", "shadow"}, {"Authorization", "none"}},
		DelHeaders: []string{"Cookie", long},
	})
	f(request("POST", "/", "abc", "x-env", "prod", "AUTHORIZATION", "x", "cookie", "1", "cookie", "2", long, "x", "cookies", "3", "host", "h"),
		"POST / HTTP/1.1\r\ncookies: 3\r\nhost: h\r\ncontent-length: 3\r\nX-Env: shadow\r\nAuthorization: none\r\n"+marker+"abc")

	// A name with '_' is the same to CGI; other names keep theirs.
	f = check(Options{SetHeaders: []Header{{"X-Env", "shadow"}, {"_b_", "1"}}, DelHeaders: []string{"x-real_ip", "-c", long}})
	f(request("GET", "/", "", "X_Env", "prod", "x-env", "prod", "X_REAL-IP", "1", "x-real-ip", "2", "x_real_ip", "3", "-b-", "1", "_c", "1", "-C", "2",
		strings.ReplaceAll(long, "-", "_"), "x", "x.env", "kept", "xxenv", "kept", "host", "h"),
		"GET / HTTP/1.1\r\nx.env: kept\r\nxxenv: kept\r\nhost: h\r\nX-Env: shadow\r\n_b_: 1\r\n"+marker)
	f = check(Options{DelHeaders: []string{"Authorization", "a-b"}})
	f(request("GET", "/", "", "x_authorization", "1", "X_Authorization", "2", "x_a_b", "3", "x_a-b", "4", "host", "h", "x-authorization", "kept", "x-a_b", "kept"),
		"GET / HTTP/1.1\r\nhost: h\r\nx-authorization: kept\r\nx-a_b: kept\r\n"+marker)
	f = check(Options{})
	f(request("GET", "/", "", "x_env", "1", "content_length", "7", "te_", "1", "keep_alive", "1", "host", "h"),
		"GET / HTTP/1.1\r\nx_env: 1\r\ncontent_length: 7\r\nte_: 1\r\nkeep_alive: 1\r\nhost: h\r\n"+marker)
	// Credentials for a proxy stay behind, and what only mirrorgate may say.
	f(request("GET", "/", "", "Proxy-Authorization", "Basic eDp5", "proxy_authorization", "x", "X-Mirrored-Truncated", "true", "x_mirrored-truncated", "true",
		"x_mirrored_by", "me", "host", "h"), "GET / HTTP/1.1\r\nhost: h\r\n"+marker)

	f = check(Options{SendTruncated: true})
	f(request("POST", "/", "abc", "content-length", "30", "host", "h", "x-mirrored-truncated", "false"),
		"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\nX-Mirrored-Truncated: true\r\n"+marker+"abc")
	f(request("POST", "/", "abc", "content-length", "30", "host", "h"),
		"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\nX-Mirrored-Truncated: true\r\n"+marker+"abc")
	f(request("POST", "/", "abc", "content-length", "3", "host", "h"), "POST / HTTP/1.1\r\ncontent-length: 3\r\nhost: h\r\n"+marker+"abc")
}

func TestReject(t *testing.T) {
	rules := NewRules(Options{})
	f := func(r codec.Request, want string) {
		t.Helper()
		var p Prepared
		if got := rules.Prepare(&p, &r).String(); got != want {
			t.Errorf("%q %q %q: got %q, want %q", r.Method, r.Target, r.Headers.Raw, got, want)
		}
	}
	for _, bad := range []string{"\r", "\n", "\x00", " ", "\x7f", "\r\nx: y", " HTTP/1.1\r\n\r\nGET /b"} {
		f(request("GET"+bad, "/", ""), "malformed")
		f(request("GET", "/a"+bad, ""), "malformed")
		f(request("GET", "/a-longer-path"+bad+"/and-more-of-it", ""), "malformed")
		f(request("GET", "http://h"+bad+"/", ""), "malformed")
		f(request("GET", "/", "", "name"+bad, "value"), "malformed")
	}
	for _, bad := range []string{"\r", "\n", "\x00", "\x1f", "\x7f", "\r\nx: y"} {
		f(request("GET", "/", "", "name", bad), "malformed")
		f(request("GET", "/", "", "name", "a longer value"+bad+"and more of it"), "malformed")
		f(request("GET", "/", "", "connection", "a"+bad), "malformed")
		f(request("GET", "/", "", "host", "a"+bad), "malformed")
	}
	for _, name := range []string{"a:", "a\t", "\xe9", "a(b)", "a/b", `"a"`} {
		f(request("GET", "/", "", name, "value"), "malformed")
	}
	f(request("", "/", ""), "malformed")
	f(request("GET", "", ""), "malformed")
	f(request("GET", "a", ""), "malformed")
	f(request("GET", "*", ""), "malformed")
	f(request("GET", "h:443", ""), "malformed")
	f(request("GET", "http:///a", ""), "malformed")
	f(request("GET", "http://a b/", ""), "malformed")
	f(request("GET", `http://a"b/`, ""), "malformed")
	f(request("GET", "/", "", "host", "a", "host", "a"), "malformed")
	f(request("GET", "/", "", "x", "y", "Host", "a", "HOST", "b"), "malformed")

	f(request("CONNECT", "h:443", ""), "connect")
	f(request("CONNECT", "/", "", "x-mirrored-by", "a"), "connect")
	f(request("GET", "/", "", "X-Mirrored-By", "another agent"), "loop")
	f(request("POST", "/", "", "x-mirrored-by", "", "content-length", "9"), "loop")
	f(request("GET", "/", "", "x-mirrored-by", "a", "host", "a", "host", "b"), "malformed")

	f(request("POST", "/", "abc", "content-length", "4"), "truncated")
	f(request("GET", "/", "", "content-length", "999999999999999999"), "truncated")
	f(request("POST", "/", "abc", "content-length", "3"), "")
	f(request("POST", "/", "abc", "content-length", "2"), "")
	f(request("POST", "/", "abc"), "")
	with := func(full bool, size int64, headers ...string) codec.Request {
		r := request("POST", "/", "abc", headers...)
		r.Full, r.BodySize = full, size
		return r
	}
	f(with(false, 4), "truncated")
	f(with(false, 3), "")
	f(with(false, 2), "")
	f(with(true, -1), "truncated")
	fullWith := func(method, body string) codec.Request {
		r := request(method, "/", body)
		r.Full = true
		return r
	}
	f(fullWith("GET", ""), "") // nothing was sent that could be cut
	f(fullWith("GET", "a"), "truncated")
	f(fullWith("POST", ""), "truncated")
	f(with(true, -1, "content-length", "3"), "") // a length that is there is believed
	f(with(true, 9, "content-length", "3"), "")
	f(with(false, 4, "content-length", "3", "content-length", "3"), "truncated")
	f(with(true, -1, "content-length", "x"), "truncated")

	f(codec.Request{Reject: codec.RejectOversize}, "oversize")
}

// Where HAProxy sends no bodies, or could not send one, a request that declares one
// is rejected for its own reason, or goes out marked; others are whole.
func TestBodiesThatDidNotCome(t *testing.T) {
	dropping, sending := NewRules(Options{}), NewRules(Options{SendTruncated: true})
	f := func(version, method string, headers []string, wantAbsent, wantNull string) {
		t.Helper()
		for _, noBody := range []bool{true, false} {
			r := request(method, "/", "", headers...)
			r.Version, r.Body, r.NoBody = []byte(version), nil, noBody
			want := wantNull
			if noBody {
				want = wantAbsent
			}
			var p Prepared
			if got := dropping.Prepare(&p, &r).String(); got != want {
				t.Errorf("HTTP/%s %s %q, no arg_body %v: got %q, want %q", version, method, headers, noBody, got, want)
			}
			got := sent(t, sending, r)
			if !strings.HasPrefix(got, method+" / ") || strings.Contains(got, "X-Mirrored-Truncated: true\r\n") != (want != "") ||
				strings.Contains(got, "transfer-encoding") || want != "" && strings.Contains(got, "content-length: 9") {
				t.Errorf("HTTP/%s %s %q, no arg_body %v: goes out as %q", version, method, headers, noBody, got)
			}
		}
	}
	f("1.1", "GET", nil, "", "")
	f("1.1", "POST", nil, "", "")
	f("1.0", "POST", nil, "", "")
	f("", "POST", nil, "", "")
	f("2.0", "GET", nil, "", "")
	for _, version := range []string{"2.0", "3.0"} {
		for _, method := range []string{"POST", "PUT", "PATCH"} {
			f(version, method, nil, "no_body", "")
			f(version, method, []string{"host", "h", "content-length", "0"}, "", "")
		}
	}
	f("1.1", "POST", []string{"content-length", "9"}, "no_body", "truncated")
	f("1.1", "GET", []string{"content-length", "9"}, "no_body", "truncated")
	f("1.1", "DELETE", []string{"Transfer-Encoding", "chunked"}, "no_body", "truncated")
	f("1.1", "POST", []string{"connection", "close", "transfer-encoding", "chunked", "host", "h"}, "no_body", "truncated")
	sized := request("DELETE", "/", "")
	sized.Body, sized.NoBody, sized.BodySize = nil, true, 5
	var p Prepared
	if got := dropping.Prepare(&p, &sized); got != codec.RejectNoBody {
		t.Errorf("with arg_body_size alone: %v", got)
	}
	full := request("POST", "/", "")
	full.Body, full.NoBody, full.Full = nil, true, true
	if got := dropping.Prepare(&p, &full); got != codec.RejectNone {
		t.Errorf("a long head: %v", got)
	}
}

// A request that is rejected, or has many fields, leaves nothing behind for the
// next one.
func TestPreparedIsUsedAnew(t *testing.T) {
	rules := NewRules(Options{})
	var p Prepared
	for _, r := range []codec.Request{
		request("POST", "http://u/", "abc", "a", "1", "host", "h", "b", "2", "content-length", "3"),
		request("GET", "/", "", "a", "1", "host", "h", "bad name", "x"),
		request("GET", "/", "", "x-mirrored-by", "1"),
		request("POST", "/", "abc", "content-length", "9"),
	} {
		rules.Prepare(&p, &r)
		plain := request("GET", "/", "")
		if reject := rules.Prepare(&p, &plain); reject != codec.RejectNone {
			t.Fatal(reject)
		}
		if got, _ := rules.Append(nil, &p); string(got) != "GET / HTTP/1.1\r\n"+marker {
			t.Errorf("after %s %s: %q", r.Method, r.Target, got)
		}
	}
}
