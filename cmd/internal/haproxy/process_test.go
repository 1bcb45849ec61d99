package haproxy

import (
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
)

const testConfig = `
global
    stats socket unix@` + Socket + ` expose-fd listeners

defaults
    mode http
    timeout connect 5s
    timeout client 5s
    timeout server 5s

frontend main
    bind %BIND%
    monitor-uri ` + ReadyPath + `
    http-request return status 200 content-type text/plain string %NAME%
`

func files(bind, name string) map[string]string {
	return map[string]string{"haproxy.cfg": strings.NewReplacer("%BIND%", bind, "%NAME%", name).Replace(testConfig)}
}

func listen(t *testing.T) *net.TCPListener {
	t.Helper()
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestStart(t *testing.T) {
	first, second := listen(t), listen(t)
	p, err := Start(t.Context(), files("fd@3", "hello"), first, second)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Stop()
	answers(t, first.Addr().String(), "hello")
	if info, err := p.Ask("show info"); err != nil || !strings.Contains(info, "\nName: HAProxy\n") && !strings.HasPrefix(info, "Name: HAProxy\n") {
		t.Errorf("it says of itself %.200q, error %v", info, err)
	}
	if err := p.Signal(syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	<-p.Exited()
}

// After a reload the new one answers on the same address, and the old one ends.
func TestReload(t *testing.T) {
	addr, release, err := Reserve()
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	old, err := StartAt(t.Context(), addr, files(addr, "old"))
	if err != nil {
		t.Fatal(err)
	}
	defer old.Stop()
	answers(t, addr, "old")
	next, err := old.Reload(t.Context(), files(addr, "new"))
	if err != nil {
		t.Fatal(err)
	}
	defer next.Stop()
	<-old.Exited()
	answers(t, addr, "new")
}

func answers(t *testing.T, addr, want string) {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + addr)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got, err := io.ReadAll(resp.Body); err != nil || string(got) != want {
		t.Errorf("got %q and error %v, want %q", got, err, want)
	}
}

func TestStartFails(t *testing.T) {
	f := func(config, want string) {
		t.Helper()
		p, err := Start(t.Context(), map[string]string{"haproxy.cfg": config}, listen(t))
		if err == nil {
			p.Stop()
			t.Fatal("it started")
		}
		if !strings.HasPrefix(err.Error(), "cannot start HAProxy: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %q, want something with %q", err, want)
		}
	}
	f("nonsense\n", "nonsense")
	t.Setenv("PATH", "/nowhere")
	f("", "not on PATH")
}

func TestInstalled(t *testing.T) {
	v, err := Installed()
	if err != nil {
		t.Fatal(err)
	}
	if v.Major < 2 || v.Mux() != (v.Major*100+v.Minor > 300) {
		t.Errorf("version is %v, with mux: %v", v, v.Mux())
	}
}
