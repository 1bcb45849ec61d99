package wire

import (
	"regexp"
	"testing"

	"github.com/mirrorgate/mirrorgate/codec"
)

func TestRewrite(t *testing.T) {
	f := func(text, target, want string) {
		t.Helper()
		rewrite, err := ParseRewrite(text)
		if err != nil {
			t.Fatal(err)
		}
		if rewrite.String() != text {
			t.Errorf("%s is written as %s", text, rewrite)
		}
		if got := sent(t, NewRules(Options{Rewrite: rewrite}), request("GET", target, "", "host", "h")); got != "GET "+want+" HTTP/1.1\r\nhost: h\r\n"+marker {
			t.Errorf("%s makes of %s %q, want %s", text, target, got, want)
		}
	}
	f("/api/=/v2/api/", "/api/x?y=/api/", "/v2/api/x?y=/api/")
	f("/api/=/v2/api/", "/api", "/api")
	f("/api/=/v2/api/", "/x/api/", "/x/api/")
	f("/=/a/", "/", "/a/")
	f("/a/b=/", "/a/bc", "/c")
	f("/a/=/b/", "http://h/a/x", "/b/x")
	f("/a/=/b/", "http://h?q", "/?q")
	bad := func(text string) {
		t.Helper()
		if r, err := ParseRewrite(text); err == nil {
			t.Errorf("%q is read as %+v", text, r)
		}
	}
	bad("")
	bad("/a")
	bad("a=/b")
	bad("/a=b")
	bad("/a=/b?c")
	bad("/a=/b c")
}

var freshTrace = regexp.MustCompile(`traceparent: 00-[0-9a-f]{32}-[0-9a-f]{16}-(..)\r\n`)

func TestTrace(t *testing.T) {
	const own = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-"
	f := func(trace Trace, headers []string, want string) {
		t.Helper()
		got := sent(t, NewRules(Options{Trace: trace}), request("GET", "/", "", append(headers, "x", "y")...))
		fresh := freshTrace.ReplaceAllString(got, "traceparent: fresh-$1\r\n")
		if trace != TraceNew {
			fresh = got
		}
		if fresh != "GET / HTTP/1.1\r\n"+want+marker {
			t.Errorf("%s of %q:\n got %q\nwant %q", trace, headers, got, want)
		}
	}
	context := []string{"traceparent", own + "00", "tracestate", "a=b", "Baggage", "c=d"}
	f(TraceKeep, context, "traceparent: "+own+"00\r\ntracestate: a=b\r\nBaggage: c=d\r\nx: y\r\n")
	f(TraceDrop, context, "x: y\r\n")
	f(TraceNew, context, "x: y\r\ntraceparent: fresh-00\r\n")
	f(TraceNew, []string{"Traceparent", own + "01"}, "x: y\r\ntraceparent: fresh-01\r\n")
	f(TraceNew, nil, "x: y\r\ntraceparent: fresh-01\r\n")
	f(TraceNew, []string{"traceparent", "nonsense"}, "x: y\r\ntraceparent: fresh-01\r\n")
	f(TraceNew, []string{"traceparent", own + "0x"}, "x: y\r\ntraceparent: fresh-01\r\n")
	f(TraceDrop, nil, "x: y\r\n")

	rules := NewRules(Options{Trace: TraceNew})
	one, two := sent(t, rules, request("GET", "/", "")), sent(t, rules, request("GET", "/", ""))
	if one == two {
		t.Errorf("two copies have the same trace: %q", one)
	}
	if err := (&Options{Trace: TraceNew, DelHeaders: []string{"Baggage"}}).Validate(); err == nil {
		t.Error("a field of the trace may be ruled by another option")
	}
	var p Prepared
	r := request("GET", "/", "", "traceparent", own+"\x01\x02")
	if reject := rules.Prepare(&p, &r); reject != codec.RejectMalformed {
		t.Errorf("flags that HTTP forbids are taken: %v", reject)
	}
}
