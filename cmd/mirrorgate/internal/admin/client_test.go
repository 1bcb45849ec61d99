package admin

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestClient(t *testing.T) {
	s := newServer(t, twoGroups...)
	server := httptest.NewServer(guard("s3cret", s.routes()))
	defer server.Close()
	address := server.Listener.Addr().String()
	ctx := context.Background()
	proxy := http.NewServeMux()
	proxy.Handle("/mirror/", http.StripPrefix("/mirror", guard("s3cret", s.routes())))
	proxied := httptest.NewServer(proxy)
	defer proxied.Close()
	if stats, err := NewClient(proxied.URL+"/mirror/", "s3cret").Stats(ctx); err != nil || len(stats.Groups) != 2 {
		t.Errorf("stats of a URL: %v, %v", stats, err)
	}
	c := NewClient(address, "s3cret")
	if stats, err := c.Stats(ctx); err != nil || len(stats.Groups) != 2 {
		t.Errorf("stats: %v, %v", stats, err)
	}
	if tuned, err := c.TuneGroup(ctx, "v2", map[string]string{"sample": "2%"}); err != nil || tuned.Changes[0] != (Change{"sample", "50%", "2%"}) {
		t.Errorf("group: %v, %v", tuned, err)
	}
	if tuned, err := c.TuneTarget(ctx, "a", map[string]string{"paused": "true"}); err != nil || tuned.Changes[0] != (Change{"paused", "false", "true"}) {
		t.Errorf("target: %v, %v", tuned, err)
	}

	f := func(c *Client, name string, refused bool, want string) {
		t.Helper()
		_, err := c.TuneTarget(ctx, name, map[string]string{"weight": "1"})
		if err == nil || err.Error() != want || errors.As(err, new(*RefusedError)) != refused {
			t.Errorf("error: %v\nwant: %s", err, want)
		}
	}
	f(c, "../v2?", true, `unknown name: there is no target "../v2?", but a, b, staging`)
	f(NewClient(address, ""), "a", true, "mirrorgate asks for the token: give the file that holds it with --admin-token-file")
	f(NewClient(address, "wrong"), "a", true, "mirrorgate asks for the token: give the file that holds it with --admin-token-file")
	f(NewClient("here", ""), "a", true, `--admin: "here" should be HOST:PORT or a URL`)
	f(NewClient("a b:80", ""), "a", true, `--admin: "a b:80" should be HOST:PORT or a URL`)
	f(NewClient("ftp://a", ""), "a", true, `--admin: "ftp://a" should be a URL like http://host:12346`)
	f(NewClient("http://u:p@a", ""), "a", true, `--admin: "http://u:p@a" should be a URL like http://host:12346`)

	if _, err := c.TuneGroup(ctx, "../v2?", map[string]string{"sample": "1%"}); err == nil || !strings.Contains(err.Error(), `there is no group "../v2?"`) {
		t.Errorf("a group's name is taken for a path: %v", err)
	}

	gone := closedPort(t)
	f(NewClient(gone, ""), "a", false, "cannot reach mirrorgate at "+gone+": connection refused; is it running, and is that what its --admin says?")
	for _, body := range []string{"\x1b[2Jno\nway\x07", `{"error":"\u001b[2Jno\nway\u0007"}`} {
		hostile := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Error(w, body, http.StatusBadRequest) }))
		defer hostile.Close()
		f(NewClient(hostile.Listener.Addr().String(), ""), "a", true, "\ufffd[2Jno way\ufffd")
	}
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("hello")) }))
	defer other.Close()
	f(NewClient(other.Listener.Addr().String(), ""), "a", false, "cannot read what "+other.Listener.Addr().String()+
		" answers: is that the admin address of mirrorgate? invalid character 'h' looking for beginning of value")
}

func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	return l.Addr().String()
}

// What a server listens on is not always where one can connect.
func TestClientAddress(t *testing.T) {
	f := func(listen, want string) {
		t.Helper()
		if got := NewClient(listen, "").Address(); got != want {
			t.Errorf("for a server on %s it connects to %s, want %s", listen, got, want)
		}
	}
	f("127.0.0.1:12346", "127.0.0.1:12346")
	f(":12346", "127.0.0.1:12346")
	f("0.0.0.0:12346", "127.0.0.1:12346")
	f("[::]:12346", "127.0.0.1:12346")
	f("[::1]:12346", "[::1]:12346")
	f("mirror1:12346", "mirror1:12346")
	f(strings.Repeat("x", 3), "xxx")
}
