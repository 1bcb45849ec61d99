package wire

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"

	"github.com/mirrorgate/mirrorgate/codec"
)

// Which header sections the fast path takes; all others are left as they were.
func TestFastPath(t *testing.T) {
	plain, forwarding := NewRules(Options{}), NewRules(Options{ForwardedFor: ForwardedAppend})
	f := func(rules *Rules, r codec.Request, want bool) {
		t.Helper()
		p := Prepared{Request: &r, host: -1}
		if got := rules.takeFastPath(&p); got != want {
			t.Errorf("%q: %v", r.Headers.Raw, got)
		}
		if !want && (len(p.runs) > 0 || p.hostEnd > 0 || p.hasLength || p.keepCL || p.size > 0) {
			t.Errorf("%q: left something behind: %+v", r.Headers.Raw, p)
		}
	}
	yes := func(body string, headers ...string) {
		t.Helper()
		f(plain, request("POST", "/", body, headers...), true)
	}
	no := func(body string, headers ...string) {
		t.Helper()
		f(plain, request("POST", "/", body, headers...), false)
	}

	f(plain, browserRequest(), true)
	yes("")
	yes("", "a", "", "X_1", "a\tb", "x-\x7e", "\x80\xff")
	yes("abc", "host", "h", "content-length", "3", "te", "trailers", "connection", "keep-alive")
	yes("", "a", strings.Repeat("v", 239))
	for _, n := range []int{240, 241, 2287, 2288, 7000} {
		yes("", "a", strings.Repeat("v", n), "cookie", strings.Repeat("c", n))
		no("", "a", strings.Repeat("v", n-1)+"\x00")
		no("", "x-mirrored-by", strings.Repeat("v", n))
	}
	no("", strings.Repeat("n", 240), "v")
	no("", "host", "a", "host", "a")
	no("abc", "content-length", "2")
	no("abc", "content-length", "3", "content-length", "3")
	no("", "content-length", "+0")
	no("", "connection", "close")
	no("", "connection", "keep-alive, a")
	no("", "x-mirrored-by", "a")
	no("", "x-forwarded-fo ", "a")
	for _, odd := range []string{"\x00", "\n", "\r", "\x1f", "\x7f"} {
		for _, value := range []string{odd, "ab" + odd, odd + "abcd", "abcde" + odd, odd + "12345678", "12345678" + odd, "1234567" + odd + "12345678"} {
			no("", "a", value)
			no("", "x"+value, "v")
		}
	}

	client := request("GET", "/", "", "x-forwarded-for", "1.2.3.4")
	f(forwarding, client, true)
	client.Source = netip.MustParseAddr("5.6.7.8")
	f(plain, client, true)
	f(forwarding, client, false)

	cut := request("GET", "/", "", "host", "h", "a", "b", "cookie", strings.Repeat("c", 300))
	for n := range cut.Headers.Raw {
		short := cut
		short.Headers.Raw = cut.Headers.Raw[:n]
		f(plain, short, false)
	}
	full := request("POST", "/", "")
	full.Full = true
	f(plain, full, false)
	text := codec.Request{Method: []byte("GET"), Headers: codec.Headers{Raw: []byte("\r\n"), Text: true}}
	f(plain, text, false)
	many := make([]string, 0, 2*3000)
	for range cap(many) / 2 {
		many = append(many, "name", "value")
	}
	no("", many...)
}

// An odd byte is seen wherever it stands in a name or a value of any length, at
// the end of the list as well as before other fields.
func TestFastPathSeesEachByte(t *testing.T) {
	rules := NewRules(Options{})
	f := func(name, value string, want bool) {
		t.Helper()
		for _, behind := range [][]string{nil, {"accept", "text/html,*/*"}} {
			r := request("GET", "/", "", append([]string{name, value}, behind...)...)
			p := Prepared{Request: &r, host: -1}
			if got := rules.takeFastPath(&p); got != want {
				t.Errorf("%q: %q, %d fields behind it: %v", name, value, len(behind)/2, got)
			}
		}
	}
	for n := 1; n <= 40; n++ {
		good := strings.Repeat("a", n)
		f(good, good, true)
		f("a", strings.Repeat("\xff", n), true)
		for i := range n {
			with := func(c string) string { return good[:i] + c + good[i+1:] }
			f("x-"+with("Z"), with("~"), true)
			f("a", with("\xff"), true)
			f("a", with("\t"), true)
			for _, c := range []string{"\x00", "\n", "\r", "\x1f", "\x7f"} {
				f("a", with(c), false)
				f("x-"+with(c), good, false)
			}
			for _, c := range []string{" ", ":", "\xff"} {
				f("x-"+with(c), good, false)
			}
		}
	}
	for n := 240; n <= 256; n++ {
		for i := range n {
			with := func(c string) string { return strings.Repeat("v", i) + c + strings.Repeat("v", n-1-i) }
			f("a", with("\t"), true)
			f("a", with("\n"), false)
			f("a", with("\x7f"), false)
		}
	}
}

// FuzzFastPath holds that the fast path sends what readFields sends.
func FuzzFastPath(f *testing.F) {
	for _, r := range []codec.Request{
		browserRequest(),
		request("POST", "/", "body", "host", "h", "content-length", "4", "Keep-Alive", "x", "connection", "keep-alive"),
		request("GET", "/", "", "x-a", "b", "x-b", "c", "te", "d"),
		request("GET", "/", "", "host", "h", "cookie", strings.Repeat("c", 300), "te", strings.Repeat("d", 3000)),
		request("GET", "/", "", "cookie", strings.Repeat("c", 300), "x-b", strings.Repeat("d", 3000), "a", "b"),
	} {
		f.Add(r.Headers.Raw, r.Body)
	}
	rules := NewRules(Options{DelHeaders: []string{"x-b"}})
	f.Fuzz(func(t *testing.T, raw, body []byte) {
		r := codec.Request{Method: []byte("POST"), Target: []byte("/"), Headers: codec.Headers{Raw: raw}, Body: body, BodySize: -1}
		short, thorough := Prepared{Request: &r, host: -1, Path: r.Target}, Prepared{Request: &r, host: -1, Path: r.Target}
		if !rules.takeFastPath(&short) {
			return
		}
		if reject := rules.readFields(&thorough); reject != codec.RejectNone || thorough.truncated {
			t.Fatalf("%q: readFields says %q, truncated: %v", raw, reject, thorough.truncated)
		}
		got, gotAt := rules.Append(nil, &short)
		want, wantAt := rules.Append(nil, &thorough)
		if !bytes.Equal(got, want) || gotAt != wantAt {
			t.Errorf("%q: sent %q, %+v, want %q, %+v", raw, got, gotAt, want, wantAt)
		}
	})
}
