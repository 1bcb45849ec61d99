package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What is said of one target, or of one group, in a file: each target gets requests by
// its own rules, and what a group does not get is counted by reason.
func TestPerTarget(t *testing.T) {
	origin, plain, own := startRecorder(t), startRecorder(t), startRecorder(t)
	file := filepath.Join(t.TempDir(), "mirrorgate.yml")
	text := `trace: drop
set-header: {X-Env: all}
target:
  - plain=` + plain.url() + `
  - name: own
    url: ` + own.url() + `
    methods: [GET]
    path: [/api/*]
    hosts: [shop.example.com]
    set-header: {X-Env: "own, really"}
    del-header: [x-secret]
    rewrite: {/api/: /v2/}
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	a := startAgent(t, "--config", file)
	if groups := a.log.attr("writes (POST, PUT, PATCH, DELETE) are mirrored too, methods=GET+HEAD would leave them out", "groups"); groups != "plain" {
		t.Errorf("the log says that writes go to %q", groups)
	}
	p := startProxy(t, sizedSPOE, origin.addr(), a)
	send := func(method, path, host string) {
		sendRaw(t, p, method+" "+path+" HTTP/1.1\r\nHost: "+host+"\r\nX-Secret: s\r\nTraceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	}
	send("GET", "/api/x?y", "shop.example.com")
	send("POST", "/api/x", "shop.example.com")
	send("GET", "/other", "shop.example.com")
	send("GET", "/api/x", "other.example.com")
	eventually(t, "all are mirrored", func() bool { return len(plain.all()) == 4 && len(own.all()) == 1 })
	for _, want := range []string{`reason="method"} 1`, `reason="path"} 1`, `reason="host"} 1`, `reason="upgrade"} 0`} {
		if _, page := a.get("/metrics"); !strings.Contains(page, `mirrorgate_group_filtered_total{group="own",`+want) {
			t.Errorf("/metrics does not say %s", want)
		}
	}
	f := func(r *recorder, path string, fields map[string]string) {
		t.Helper()
		got := r.all()[0]
		if line := "GET " + path + " HTTP/1.1"; got.line != line {
			t.Errorf("the request is %q, want %q", got.line, line)
		}
		for name, value := range fields {
			if v := got.header(name); v != value {
				t.Errorf("%s is %q, want %q", name, v, value)
			}
		}
	}
	f(own, "/v2/x?y", map[string]string{"X-Env": "own, really", "x-secret": "", "traceparent": ""})
	f(plain, "/api/x?y", map[string]string{"X-Env": "all", "x-secret": "s", "traceparent": ""})
}
