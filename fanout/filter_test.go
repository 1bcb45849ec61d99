package fanout

import (
	"testing"

	"github.com/mirrorgate/mirrorgate/codec"
	"github.com/mirrorgate/mirrorgate/fanout/internal/wire"
)

func TestMatches(t *testing.T) {
	f := func(pattern, text string, want bool) {
		t.Helper()
		if got := matches(pattern, []byte(text), false); got != want {
			t.Errorf("%q matches %q: %v, want %v", pattern, text, got, want)
		}
	}
	f("", "", true)
	f("", "a", false)
	f("/a", "/a", true)
	f("/a", "/ab", false)
	f("/a", "/A", false)
	f("/ab", "/a", false)
	f("*", "", true)
	f("*", "/a/b", true)
	f("/api/*", "/api/", true)
	f("/api/*", "/api/a/b", true)
	f("/api/*", "/api", false)
	f("*.css", "/a/b.css", true)
	f("*.css", "/a.css/b.cs", false)
	f("/*/edit", "/a/b/edit", true)
	f("/*/edit", "/edit", false)
	f("/*a*b*", "/xxaxxaxbx", true)
	f("/*a*b*", "/xxbxxa", false)
	f("/a**", "/a", true)
	f("*aab", "aaaab", true)
	if !matches("*.example.com", []byte("Shop.EXAMPLE.com"), true) {
		t.Error("a host matches in any case")
	}
}

// What a group does not get is counted by why not, the first reason that holds.
func TestFilter(t *testing.T) {
	fan := newFanout(t, nil, "http://a,methods=GET+POST,path=/api/*+/health,hosts=*.example.com+shop")
	ws := newFanout(t, nil, "http://a,upgrade=true")
	defer drain(t, fan)
	defer drain(t, ws)
	f := func(fan *Fanout, r codec.Request, want string) {
		t.Helper()
		var p wire.Prepared
		if reject := fan.prepare(&p, &r); reject != codec.RejectNone {
			t.Fatalf("%s %s is rejected: %s", r.Method, r.Target, reject)
		}
		if got := filterNames[fan.plan.Load().groups[0].filter.refuses(&p)]; got != want {
			t.Errorf("%s %s is refused for %q, want %q", r.Method, r.Target, got, want)
		}
	}
	const host = "Host"
	f(fan, request("GET", "/api/a", "", host, "a.example.com"), "")
	f(fan, request("GET", "/api/a?x=/y", "", host, "a.example.com:8080"), "")
	f(fan, request("GET", "/health?x", "", host, "SHOP"), "")
	f(fan, request("PUT", "/x", "", host, "other"), "method")
	f(fan, request("GET", "/x", "", host, "other"), "path")
	f(fan, request("GET", "/healthy", "", host, "shop"), "path")
	f(fan, request("GET", "/x?/api/", "", host, "shop"), "path")
	f(fan, request("GET", "http://shop", ""), "path")
	f(fan, request("GET", "/api/", "", host, "example.com"), "host")
	f(fan, request("GET", "/api/", ""), "host")
	f(fan, request("GET", "http://shop:80/api/", ""), "")

	socket := []string{host, "shop", "Upgrade", "websocket", "Connection", "keep-alive, Upgrade"}
	f(fan, request("GET", "/api/", "", socket...), "upgrade")
	f(ws, request("GET", "/api/", "", socket...), "")
	f(fan, request("GET", "/api/", "", host, "shop", "Upgrade", "h2c", "Connection", "Upgrade, HTTP2-Settings"), "")
	f(fan, request("GET", "/api/", "", host, "shop", "Upgrade", "websocket"), "") // of another connection, RFC 9110 section 7.8
	f(fan, request("GET", "/api/", "", host, "shop", "Connection", "upgrade"), "")

	for _, r := range []codec.Request{request("PUT", "/", ""), request("GET", "/", ""), request("GET", "/", ""), request("GET", "/api/", "")} {
		fan.Submit([]codec.Request{r})
	}
	for reason, want := range map[filterReason]uint64{filterMethod: 1, filterPath: 2, filterHost: 1, filterUpgrade: 0} {
		if got := fan.groups[0].metrics.filtered[reason].Get(); got != want {
			t.Errorf("%d are filtered for their %s, want %d", got, filterNames[reason], want)
		}
	}
}
