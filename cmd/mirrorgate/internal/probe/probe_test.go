package probe

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func options(t *testing.T, text string) Options {
	t.Helper()
	u, err := ParseURL(text)
	if err != nil {
		t.Fatal(err)
	}
	return Options{URL: u, Host: HostTarget, Timeout: 5 * time.Second, TLS: new(tls.Config)}
}

// probeScript asks a server in a bubble, where time passes when all wait for it.
func probeScript(t *testing.T, writes bool, serve script) (r *Report, err error) {
	t.Helper()
	o := options(t, "http://target/")
	o.Writes = writes
	o.dial = func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer server.Close()
			serve(server, bufio.NewReaderSize(server, 128<<10))
		}()
		return client, nil
	}
	synctest.Test(t, func(t *testing.T) { r, err = Run(t.Context(), o) })
	return r, err
}

// What an engineer reads of servers as they are.
func TestReport(t *testing.T) {
	f := func(name string, serve script, writes bool, want string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Helper()
			r, err := probeScript(t, writes, serve)
			if err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			r.Write(&got)
			if strings.TrimSpace(got.String()) != strings.TrimSpace(want) {
				t.Errorf("got\n%s\nwant\n%s", &got, want)
			}
		})
	}
	f("sound", sound(), true, `
ok  connect       pipe
ok  GET           200 OK in 0s, HTTP/1.1, 2 bytes
ok  keep-alive    an idle connection stands at least 20s
ok  pipelining    GETs in one go: answers 16 of 16, in order
ok                POST GET in one go: answers 2 of 2
ok                GET POST GET in one go: answers 3 of 3
ok  HEAD          200 OK, no body
ok  other Host    200 OK, as with its own
ok  request line  at least 8 KiB
ok  head          at least 64 KiB
ok  body          at least 1 MiB
-   HTTP/2        not by prior knowledge

Recommended, after 45 requests:

    mirrorgate --target http://target,batch=16

batch=16: so many requests sent in one go are answered right, and behind a POST as well.`)
	f("without writes", sound(), false, `
ok  connect       pipe
ok  GET           200 OK in 0s, HTTP/1.1, 2 bytes
ok  keep-alive    an idle connection stands at least 20s
ok  pipelining    GETs in one go: answers 16 of 16, in order
-                 behind a POST: not tried, --writes does
ok  HEAD          200 OK, no body
ok  other Host    200 OK, as with its own
ok  request line  at least 8 KiB
ok  head          at least 64 KiB
-   body          not tried, --writes does
-   HTTP/2        not by prior knowledge

Recommended, after 35 requests:

    mirrorgate --target http://target,batch=1

batch=1: GETs sent in one go are answered right, but what a POST does to the requests behind it was not tried. --writes tries it; then batch=16 may do.`)
	f("puma", puma(), true, `
ok  connect       pipe
ok  GET           200 OK in 0s, HTTP/1.1, 2 bytes
ok  keep-alive    an idle connection stands at least 20s
ok  pipelining    GETs in one go: answers 16 of 16, in order
!                 POST GET in one go: answers 1 of 2, then nothing for 5s: what stood behind is lost
!                 GET POST GET in one go: answers 2 of 3, then nothing for 5s: what stood behind is lost
ok  HEAD          200 OK, no body
ok  other Host    200 OK, as with its own
ok  request line  at least 8 KiB
ok  head          at least 64 KiB
ok  body          at least 1 MiB
-   HTTP/2        not by prior knowledge

Recommended, after 45 requests:

    mirrorgate --target http://target,batch=1

batch=1: of requests sent in one go with a POST it answers 1 of 2, then nothing for 5s: what stood behind is lost.`)
	f("gthread", gthread(), true, `
ok  connect       pipe
ok  GET           200 OK in 0s, HTTP/1.1, 2 bytes, Server: gunicorn
!   keep-alive    an idle connection is closed after 2s
!   pipelining    GETs in one go: answers 1 of 16, then closes unannounced after 2s
!                 POST GET in one go: answers 1 of 2, then closes unannounced after 2s
!                 GET POST GET in one go: answers 1 of 3, then closes unannounced after 2s
!   HEAD          200 OK, with 2 bytes behind it that should not be there
ok  other Host    200 OK, as with its own
ok  request line  at least 8 KiB
ok  head          at least 64 KiB
ok  body          at least 1 MiB
-   HTTP/2        not by prior knowledge

Recommended, after 43 requests:

    mirrorgate --target http://target,batch=1

batch=1: of requests sent in one go it answers 1 of 16, then closes unannounced after 2s.
It closes idle connections after 2s: more on its side saves connecting.
It sends a body to HEAD: mirrorgate closes the connection behind each HEAD.`)
	f("closing", limited(1, "Connection: close"), false, `
ok  connect       pipe
ok  GET           200 OK in 0s, HTTP/1.1, 2 bytes
!   keep-alive    no: it closes after each response, and says so
-   pipelining    not tried: a connection serves one request
-                 behind a POST: not tried, --writes does
ok  HEAD          200 OK, no body
ok  other Host    200 OK, as with its own
ok  request line  at least 8 KiB
ok  head          at least 64 KiB
-   body          not tried, --writes does
-   HTTP/2        not by prior knowledge

Recommended, after 12 requests:

    mirrorgate --target http://target,batch=1

batch=1: it closes the connection after each response, so each request costs a connection.`)
}

// What a scripted server does wrong or in a way of its own, each found by one
// field of the report.
func TestSeen(t *testing.T) {
	f := func(name string, serve script, show func(*Report) any, want string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Helper()
			r, err := probeScript(t, true, serve)
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprintf("%+v", show(r)); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
	keepAlive := func(r *Report) any { return r.KeepAlive }
	gets := func(r *Report) any { return r.Pipelining.GETs }
	limits := func(r *Report) any { return r.Limits }
	target := func(r *Report) any { return r.Target }

	f("closes unannounced", limited(1), keepAlive,
		"{Responses:1 Announced:false Hint: Broken:the connection was closed Idle:0 AtLeast:false Unasked: Deaf:}")
	f("closes behind the second", limited(2), keepAlive,
		"{Responses:2 Announced:false Hint: Broken:the connection was closed Idle:20 AtLeast:true Unasked: Deaf:}")
	f("says how long", sound("Keep-Alive: timeout=5, max=100"), keepAlive,
		"{Responses:3 Announced:false Hint:timeout=5, max=100 Broken: Idle:20 AtLeast:true Unasked: Deaf:}")
	f("idle for 300 ms", idling(300*time.Millisecond, "", plainly), keepAlive,
		"{Responses:3 Announced:false Hint: Broken: Idle:0.3 AtLeast:false Unasked: Deaf:}")
	f("idle for 19.9 s", idling(19900*time.Millisecond, "", plainly), keepAlive,
		"{Responses:3 Announced:false Hint: Broken: Idle:19.9 AtLeast:false Unasked: Deaf:}")
	f("idle for 20.1 s", idling(20100*time.Millisecond, "", plainly), keepAlive,
		"{Responses:3 Announced:false Hint: Broken: Idle:20 AtLeast:true Unasked: Deaf:}")
	f("unasked 408", idling(time.Second, head("408 Request Timeout", "Connection: close", "Content-Length: 0"), plainly), keepAlive,
		"{Responses:3 Announced:false Hint: Broken: Idle:1 AtLeast:false Unasked:408 Request Timeout Deaf:}")
	f("deaf after 10 s", deaf(10*time.Second), keepAlive,
		"{Responses:3 Announced:false Hint: Broken: Idle:20 AtLeast:true Unasked: Deaf:no response}")

	f("deaf after 10 s, in words", deaf(10*time.Second), func(r *Report) any {
		mark, _, text := r.KeepAlive.row()
		return mark + " " + text
	}, "! an idle connection stood 20s, but then: no response")
	f("closes behind the fifth", limited(5), gets,
		"{Sent:16 Right:5 Verdict:closes After:0 Detail:the connection was closed Ordered:true}")
	f("announces behind the fifth", limited(5, "Connection: close"), gets,
		"{Sent:16 Right:5 Verdict:announces After:0 Detail:Connection: close Ordered:true}")
	f("out of order", swapping(), gets,
		"{Sent:16 Right:1 Verdict:mixes After:0 Detail:200 OK with 2 bytes is the response to a later request Ordered:true}")
	f("refuses pipelines", refusing(), gets,
		"{Sent:16 Right:1 Verdict:otherwise After:0 Detail:429 Too Many Requests with 0 bytes, alone it gets 204 No Content with 0 bytes Ordered:true}")
	f("too long a body", overlong(), gets,
		"{Sent:16 Right:1 Verdict:misframes After:0 Detail:no HTTP/1.1 response: malformed HTTP version \"!HTTP/1.1\" Ordered:true}")
	f("a second response to the last", doubling(), gets,
		"{Sent:16 Right:16 Verdict:otherwise After:0 Detail:then, out of step: 204 No Content with 0 bytes, alone it gets 200 OK with 2 bytes Ordered:true}")

	f("limits", refusingLarge, limits,
		"{Line:{Tried:true Taken:2048 Refused:4096 How:414 Request URI Too Long}"+
			" Head:{Tried:true Taken:8192 Refused:16384 How:431 Request Header Fields Too Large}"+
			" Body:{Tried:true Taken:65536 Refused:262144 How:413 Request Entity Too Large}}")
	f("OPTIONS ends the connection", closingBehind(http.MethodOptions), gets, "{Sent:16 Right:16 Verdict:right After:0 Detail: Ordered:false}")
	f("only lengths differ", lengths("200 OK", 3), gets, "{Sent:16 Right:16 Verdict:right After:0 Detail: Ordered:true}")
	f("lengths vary", lengths("200 OK", 3, 4, 5), gets, "{Sent:16 Right:16 Verdict:right After:0 Detail: Ordered:false}")
	f("a POST's length varies", lengths("200 OK", 3, 4, 5), func(r *Report) any { return r.Pipelining.POSTs[1].Verdict }, "right")
	f("status differs, lengths vary", lengths("405 No", 3, 4, 5), gets, "{Sent:16 Right:16 Verdict:right After:0 Detail: Ordered:true}")
	f("alike, in words", constant(head("200 OK", "Content-Length: 0")), func(r *Report) any {
		_, _, text := r.Pipelining.row()
		return text
	}, "GETs in one go: answers 16 of 16 (all alike: another order would not show)")
	f("POST is refused", closingBehind(http.MethodPost), func(r *Report) any {
		_, _, text := r.Pipelining.POSTs[1].row("", "GET POST GET")
		return text
	}, "GET POST GET in one go: answers 2 of 3, then ends the connection, as it announces")
	f("early hints", hinting(), gets, "{Sent:16 Right:16 Verdict:right After:0 Detail: Ordered:true}")
	f("body of a refused POST", refusingPOST(), func(r *Report) any {
		mark, _, text := r.bodyRow()
		return mark + " " + text
	}, "! at least 1 MiB (POST gets 405 Method Not Allowed)")
	f("batch behind a refused POST", refusingPOST(), func(r *Report) any { return r.Why[0] },
		"batch=16: so many requests sent in one go are answered right, and behind a POST it ends the connection, as it announces.")
	f("late body behind HEAD", lateHead(), func(r *Report) any { return r.Head },
		"{Status:200 Body:0 Next:no HTTP/1.1 response: malformed HTTP version \"okHTTP/1.1\" Failed:}")
	f("other Host", virtual("target"), func(r *Report) any { return r.OtherHost }, "{Status:421 Failed: Same:false}")
	f("other Host is recommended", virtual("target"), target, "--target http://target,batch=16,host=target")
}

// What no option changes is said all the same.
func TestRemarks(t *testing.T) {
	f := func(name string, serve script, want ...string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Helper()
			r, err := probeScript(t, true, serve)
			if err != nil {
				t.Fatal(err)
			}
			if r.Why = r.Why[1:]; !slices.Equal(r.Why, want) { // the first is about batch
				t.Errorf("got\n%s\nwant\n%s", strings.Join(r.Why, "\n"), strings.Join(want, "\n"))
			}
		})
	}
	f("nothing", sound())
	f("alike", constant(head("200 OK", "Content-Length: 0")),
		"All of its responses look alike, so responses in a wrong order would not have been seen: a path with more to tell is better to judge by.")
	f("redirect", constant(head("301 Moved Permanently", "Location: https://target/", "Content-Length: 0")),
		"All of its responses look alike, so responses in a wrong order would not have been seen: a path with more to tell is better to judge by.",
		"GET is redirected (301 Moved Permanently): mirrorgate follows no redirects. Is this the right scheme, Host and path?")
	f("not found", constant(head("404 Not Found", "Content-Length: 0")),
		"All of its responses look alike, so responses in a wrong order would not have been seen: a path with more to tell is better to judge by.",
		"GET gets 404 Not Found, so all of this is about that response: a path that the application answers tells more.")
	f("no POST", refusingPOST(),
		"POST gets 405 Method Not Allowed, so what is said of POSTs is about that response.")
	f("limits", refusingLarge,
		"It refuses request lines of 4 KiB (414 Request URI Too Long); HAProxy mirrors requests of up to 15 KiB, and more with a larger tune.bufsize.",
		"It refuses heads of 16 KiB (431 Request Header Fields Too Large); HAProxy mirrors requests of up to 15 KiB, and more with a larger tune.bufsize.")
	f("slow", slow(3*time.Second), "Its response took 3s, close to the timeout of 5s.")
	f("unasked", idling(time.Second, head("408 Request Timeout", "Connection: close", "Content-Length: 0"), plainly),
		"It sends a response that nobody asked for into idle connections: mirrorgate closes those, and counts nothing of it.")
	f("deaf", deaf(10*time.Second), "It stops to answer on connections that were idle for 20s without closing them: what is sent on them is lost.")
}

// What is not HTTP/1.1 is no target, and the error says what it is.
func TestUnusable(t *testing.T) {
	f := func(name string, serve script, want string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Helper()
			r, err := probeScript(t, false, serve)
			if want = "cannot mirror to http://target/: " + want; err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
			if r == nil || r.Target != "" || len(r.Why) > 0 {
				t.Errorf("the report recommends: %+v", r)
			}
		})
	}
	f("mute", func(c net.Conn, br *bufio.Reader) { io.Copy(io.Discard, br) }, "no response within 5s")
	f("closes", func(c net.Conn, br *bufio.Reader) { br.ReadByte() }, "the connection was closed")
	f("ssh", func(c net.Conn, br *bufio.Reader) { io.WriteString(c, "SSH-2.0-x\r\n"); io.Copy(io.Discard, br) },
		`no HTTP/1.1 response: malformed HTTP response "SSH-2.0-x"`)
	f("tls", func(c net.Conn, br *bufio.Reader) { br.ReadByte(); io.WriteString(c, "\x15\x03\x01\x00\x02\x02F") },
		"it speaks TLS: the URL should begin with https://")
	f("a stream of events", func(c net.Conn, br *bufio.Reader) {
		http.ReadRequest(br)
		io.WriteString(c, head("200 OK", "Content-Type: text/event-stream")+"data: 1\n\n")
		io.Copy(io.Discard, br)
	}, "a response (200 OK) that does not end within 5s; give another path")
	f("never ends", func(c net.Conn, br *bufio.Reader) {
		http.ReadRequest(br)
		io.WriteString(c, head("200 OK"))
		for {
			if _, err := c.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	}, "a response of more than 4 MiB; give a path with a smaller one")
	f("a head without end", func(c net.Conn, br *bufio.Reader) {
		http.ReadRequest(br)
		io.WriteString(c, "HTTP/1.1 200 OK\r\n")
		for {
			if _, err := io.WriteString(c, "X: "+strings.Repeat("x", 64<<10)+"\r\n"); err != nil {
				return
			}
		}
	}, "a response of more than 4 MiB; give a path with a smaller one")
}

// What is wrong with a URL or a Host is said in one line.
func TestBadOptions(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		if _, err := ParseURL(text); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
	f("staging:8080", `the URL "staging:8080" should be like http://host:8080/path or https://host/path`)
	f("http://:80", `the URL "http://:80" should be like http://host:8080/path or https://host/path`)
	f("ftp://a", `the URL "ftp://a" should be like http://host:8080/path or https://host/path`)
	f("http://a:%zz", `the URL "http://a:%zz" should be like http://host:8080/path or https://host/path`)
	f("http://a,batch=1", `the URL "http://a,batch=1" should have a host name or an address`)
	f("http://u:p@a", "the URL holds a user name or a password; probe sends no credentials")
	f("http://a/#x", "the URL http://a/#x has a fragment, which is never sent; leave #x out")
	f("http://a:0", "the URL's port is 0, should be from 1 to 65535")
	f("http://a:65536", "the URL's port is 65536, should be from 1 to 65535")
	g := func(host, want string) {
		t.Helper()
		if err := (&Options{Host: host}).Validate(); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", host, err, want)
		}
	}
	g("keep", "--host keep: a probe has no mirrored request whose Host it could keep; give a name, or target for that of the URL")
	g("", `--host is "", should be target or a host name`)
	g("a b", `--host is "a b", should be target or a host name`)
	g("a\r\nX: y", `--host is "a\r\nX: y", should be target or a host name`)
}

// Heads and lines have exactly the size that is asked for.
func TestSizes(t *testing.T) {
	f := func(base string) {
		t.Helper()
		u, err := url.Parse(base)
		if err != nil {
			t.Fatal(err)
		}
		o := Options{URL: u, Host: HostTarget}
		for size := 1000; size < 3200; size++ {
			r := o.largeHead(size)
			if got := len(r.append(nil, &o)); got != size {
				t.Fatalf("%s: a head has %d bytes, want %d", base, got, size)
			}
			r = o.longLine(size)
			line, _, _ := strings.Cut(string(r.append(nil, &o)), "\n")
			if got := len(line) + 1; got != size {
				t.Fatalf("%s: a request line has %d bytes, want %d", base, got, size)
			}
		}
	}
	f("http://a")
	f("http://a/b?c=d")
}
