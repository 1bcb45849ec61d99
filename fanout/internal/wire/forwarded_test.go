package wire

import (
	"net/netip"
	"testing"
)

func TestForwardedFor(t *testing.T) {
	f := func(policy Forwarded, source string, headers []string, want string) {
		t.Helper()
		r := request("POST", "/", "body", headers...)
		if source != "" {
			r.Source = netip.MustParseAddr(source)
		}
		if got := sent(t, NewRules(Options{ForwardedFor: policy}), r); got != "POST / HTTP/1.1\r\n"+want+marker+"body" {
			t.Errorf("%s %s %q:\n got %q\nwant %q", policy, source, headers, got, want)
		}
	}
	const (
		v4, v6 = "192.0.2.1", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"
		length = "content-length: 4\r\n"
	)
	host := []string{"host", "h"}
	one := append(host, "X-Forwarded-For", "10.0.0.1, 10.0.0.2", "x", "y")
	two := append(one, "x-forwarded-for", "", "x-forwarded-for", "10.0.0.3")
	const asIs = "host: h\r\nX-Forwarded-For: 10.0.0.1, 10.0.0.2\r\nx: y\r\n"

	f(ForwardedKeep, v4, one, asIs+length)
	f(ForwardedAppend, v4, host, "host: h\r\nx-forwarded-for: 192.0.2.1\r\n"+length)
	f(ForwardedAppend, v4, one, "host: h\r\nx: y\r\nx-forwarded-for: 10.0.0.1, 10.0.0.2, 192.0.2.1\r\n"+length)
	f(ForwardedAppend, v6, two, "host: h\r\nx: y\r\nx-forwarded-for: 10.0.0.1, 10.0.0.2, 10.0.0.3, "+v6+"\r\n"+length)
	f(ForwardedSet, v4, two, "host: h\r\nx: y\r\nx-forwarded-for: 192.0.2.1\r\n"+length)
	f(ForwardedSet, v6, nil, "x-forwarded-for: "+v6+"\r\n"+length)
	// Whoever calls it hop-by-hop cannot get rid of it.
	f(ForwardedAppend, v4, append(one, "connection", "x-forwarded-for"),
		"host: h\r\nx: y\r\nx-forwarded-for: 10.0.0.1, 10.0.0.2, 192.0.2.1\r\n"+length)
	// Nor can a client put its own word beside it, for targets to which both are one.
	f(ForwardedSet, v4, append(host, "X_Forwarded-For", "127.0.0.1"), "host: h\r\nx-forwarded-for: 192.0.2.1\r\n"+length)
	f(ForwardedAppend, v4, append(host, "x_forwarded_for", "127.0.0.1"), "host: h\r\nx-forwarded-for: 192.0.2.1\r\n"+length)
	f(ForwardedKeep, v4, append(host, "x_forwarded_for", "127.0.0.1"), "host: h\r\nx_forwarded_for: 127.0.0.1\r\n"+length)
	// Without arg_src nothing changes.
	f(ForwardedAppend, "", one, asIs+length)
	f(ForwardedSet, "", one, asIs+length)
}
