package doctor

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// soundConfig and soundSPOE have nothing that bites. Each case breaks something.
const soundConfig = `global
    tune.bufsize 32768
defaults
    mode http
    timeout http-request 60s
frontend www
    bind :80
    option http-buffer-request
    filter spoe engine mirror config spoe.conf
    default_backend origin
backend origin
    server origin 127.0.0.1:8080
backend agents
    mode tcp
    option spop-check
    server one 127.0.0.1:1 check inter 1s fall 2
`

const soundSPOE = `[mirror]
spoe-agent mirror
    messages mirror
    use-backend agents
    timeout processing 20ms
spoe-message mirror
    args arg_method=method arg_path=url arg_ver=req.ver arg_hdrs=req.hdrs_bin
    args arg_body=req.body arg_body_size=req.body_size
    acl wanted   path_beg /
    event on-frontend-http-request if wanted { nbsrv(agents) gt 0 }
`

// examine returns what is found in files of a directory of their own.
func examine(t *testing.T, o Options, files map[string]string) string {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range files {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if o.Files == nil {
		o.Files = []string{"haproxy.cfg"}
	}
	o.Getenv = func(name string) string { return map[string]string{"ENGINE": "mirror"}[name] }
	findings, err := Examine(t.Context(), o)
	if err != nil {
		return err.Error()
	}
	var lines []string
	for _, f := range findings {
		lines = append(lines, f.String())
	}
	return strings.Join(lines, "\n")
}

func TestExamine(t *testing.T) {
	// Of change, the first of each pair is replaced by the second.
	f := func(name string, change []string, want ...string) {
		t.Run(name, func(t *testing.T) {
			t.Helper()
			files := map[string]string{"haproxy.cfg": soundConfig, "spoe.conf": soundSPOE}
			for i := 0; i < len(change); i += 2 {
				found := false
				for file, text := range files {
					files[file] = strings.Replace(text, change[i], change[i+1], 1)
					found = found || files[file] != text
				}
				if !found {
					t.Fatalf("nothing to replace: %q", change[i])
				}
			}
			if got := examine(t, Options{MaxBody: 16384}, files); got != strings.Join(want, "\n") {
				t.Errorf("found\n%s\nwant\n%s", got, strings.Join(want, "\n"))
			}
		})
	}
	const (
		buffer = "    option http-buffer-request\n"
		filter = "filter spoe engine mirror config spoe.conf"
		event  = "event on-frontend-http-request if wanted { nbsrv(agents) gt 0 }"
		server = "server one 127.0.0.1:1 check inter 1s fall 2"
		args   = "args arg_method=method arg_path=url arg_ver=req.ver arg_hdrs=req.hdrs_bin"
	)
	f("sound", nil)

	// The filter and its file.
	f("no filter", []string{filter, ""}, "haproxy.cfg: no frontend has a filter spoe for mirroring; mirrorgate config haproxy prints what to add")
	f("no file", []string{"config spoe.conf", "config other.conf"},
		"haproxy.cfg:9: cannot read the SPOE file other.conf: no such file or directory; write it with mirrorgate config haproxy --part spoe, or correct the path")
	f("no file named", []string{" config spoe.conf", ""}, "haproxy.cfg:9: the filter names no SPOE file; append config FILE")
	f("other engine", []string{"engine mirror", "engine miror"}, `haproxy.cfg:9: engine "miror" is not in spoe.conf, which has [mirror]; write one of these names behind engine`)
	f("empty file", []string{soundSPOE, "# nothing"}, "haproxy.cfg:9: the SPOE file spoe.conf is empty; write it with mirrorgate config haproxy --part spoe")
	f("no engine named", []string{"engine mirror ", ""})
	f("no agent", []string{"spoe-agent mirror", "spoe-agents mirror"}, `haproxy.cfg:9: engine "mirror" of spoe.conf has no spoe-agent section; write it with mirrorgate config haproxy --part spoe`)
	f("mode", []string{"mode http", "mode tcp"}, "haproxy.cfg:9: frontend www is not in mode http, so there are no requests to mirror; add mode http")
	f("not for mirroring", []string{args, "args src", "args arg_body=req.body arg_body_size=req.body_size", "args dst"},
		"haproxy.cfg: no frontend has a filter spoe for mirroring; mirrorgate config haproxy prints what to add")

	// The body.
	f("no buffering", []string{buffer, ""}, "haproxy.cfg:8: there is no option http-buffer-request: a request is mirrored before its body has arrived; add option http-buffer-request to frontend www")
	f("buffering off", []string{buffer, "    no option http-buffer-request\n", "timeout http-request 60s", "timeout http-request 60s\n    option http-buffer-request"},
		"haproxy.cfg:10: there is no option http-buffer-request: a request is mirrored before its body has arrived; add option http-buffer-request to frontend www")
	f("buffering by defaults", []string{buffer, "", "timeout http-request 60s", "timeout http-request 60s\n    option http-buffer-request"})
	f("buffering by other defaults", []string{buffer, "", "defaults", "defaults base\n    option http-buffer-request\ndefaults"},
		"haproxy.cfg:10: there is no option http-buffer-request: a request is mirrored before its body has arrived; add option http-buffer-request to frontend www")
	f("buffering by named defaults", []string{buffer, "", "defaults", "defaults base\n    mode http\n    timeout http-request 5s\n    option http-buffer-request\ndefaults", "frontend www", "frontend www from base"})
	f("buffering by inherited defaults", []string{buffer, "", "defaults", "defaults base\n    option http-buffer-request\ndefaults leaf from base"})
	f("buffering in the backend", []string{buffer, "", "\nbackend origin\n", "\nbackend origin\n" + buffer},
		"haproxy.cfg:11: in a backend the option comes too late: the request is mirrored before its body has arrived; add option http-buffer-request to frontend www")
	f("buffering in the backend for its event", []string{buffer, "", "\nbackend origin\n", "\nbackend origin\n" + buffer, "on-frontend", "on-backend"})
	f("no body, no buffering", []string{buffer, "", "arg_body=req.body arg_body_size=req.body_size", "", "if wanted", "if METH_GET wanted"})
	f("small buffer", []string{"tune.bufsize 32768", "tune.bufsize 16384"},
		"haproxy.cfg:2: bodies of 16384 bytes are cut: tune.bufsize 16384 holds 15360 bytes of a request; mirrorgate config haproxy --max-body 16384 prints what is needed")
	f("default buffer", []string{"tune.bufsize 32768", "maxconn 10"},
		"haproxy.cfg:9: bodies of 16384 bytes are cut: tune.bufsize 16384 holds 15360 bytes of a request; mirrorgate config haproxy --max-body 16384 prints what is needed")
	f("large rewrite", []string{"tune.bufsize 32768", "tune.bufsize 32768\n    tune.maxrewrite 20000"},
		"haproxy.cfg:2: bodies of 16384 bytes are cut: tune.bufsize 32768 holds 16384 bytes of a request; mirrorgate config haproxy --max-body 16384 prints what is needed")
	f("large buffer", []string{buffer, buffer + "    http-request wait-for-body time 1s use-large-buffer\n"},
		"haproxy.cfg:9: a body in a large buffer does not fit into a frame, so its request is not mirrored; remove use-large-buffer and raise tune.bufsize")
	f("frame size", []string{"messages mirror", "messages mirror\n    max-frame-size 8192"},
		"spoe.conf:4: requests of more than 8192 bytes do not fit into a frame: HAProxy 3.1 and later do not send them, earlier ones cut them into fragments; remove the line: the default is 32764")
	f("frame size without fragments", []string{"messages mirror", "messages mirror\n    max-frame-size 8192\n    no option send-frag-payload"},
		"spoe.conf:4: requests of more than 8192 bytes do not fit into a frame and are not sent; remove the line: the default is 32764")

	// The agent section.
	f("long timeout", []string{"processing 20ms", "processing 5s"}, "spoe.conf:5: requests wait 5s for an agent that has died, until HAProxy has noticed; 20ms is plenty: timeout processing 20ms")
	f("timeout in milliseconds", []string{"processing 20ms", "processing 101"}, "spoe.conf:5: requests wait 101 for an agent that has died, until HAProxy has noticed; 20ms is plenty: timeout processing 20ms")
	f("timeout that will do", []string{"processing 20ms", "processing 100000us"})
	f("no timeout", []string{"timeout processing 20ms", ""}, "spoe.conf:2: there is no timeout processing: while an agent hangs, requests wait for it without end; add timeout processing 20ms")
	f("async", []string{"messages mirror", "messages mirror\n    option async"}, "spoe.conf:4: mirrorgate does not do async, and with agents that do, requests hang when a connection breaks; remove the line")
	f("no async", []string{"messages mirror", "messages mirror\n    no option async"})
	f("no pipelining", []string{"messages mirror", "messages mirror\n    no option pipelining"}, "spoe.conf:4: each request under way needs a connection of its own; remove the line")
	f("log", []string{"messages mirror", "messages mirror\n    log global"}, "spoe.conf:4: HAProxy logs a line for each request that is mirrored; add option dontlog-normal")
	f("quiet log", []string{"messages mirror", "messages mirror\n    log global\n    option dontlog-normal"})

	// The message.
	f("unknown message", []string{"messages mirror", "messages miror"},
		"spoe.conf:3: there is no spoe-message miror in this engine; correct the name, or add the section", "spoe.conf:6: the agent does not send message mirror; add it to the agent's messages")
	f("no event", []string{event, ""}, "spoe.conf:6: message mirror has no event, so it is never sent; add event on-frontend-http-request")
	f("event without a request", []string{"on-frontend-http-request", "on-client-session"}, "spoe.conf:10: at on-client-session there is no request to mirror; use on-frontend-http-request")
	f("filter in a backend", []string{filter, "", "\nbackend origin\n", "\nbackend origin\n" + buffer + "    " + filter + "\n"},
		"spoe.conf:10: on-frontend-http-request never happens in backend origin; move the filter to a frontend, or use on-backend-http-request")
	f("no nbsrv guard", []string{" { nbsrv(agents) gt 0 }", ""}, "spoe.conf:10: there is no nbsrv guard: each request looks for an agent also when none is up; add to its condition { nbsrv(agents) gt 0 }")
	f("nbsrv guard by acl", []string{" { nbsrv(agents) gt 0 }", " up", "acl wanted", "acl up nbsrv(agents) gt 0\n    acl wanted"})
	f("what comes back is hidden", []string{"acl wanted   path_beg /", "acl wanted req.hdr(X-Mirrored-By) -m found", "if wanted", "if !wanted"},
		"spoe.conf:10: note: its condition hides what comes back from mirrorgate, which would refuse it, count it as loop, and so tell that a target is production; leave X-Mirrored-By out of the condition")
	f("misspelt", []string{"arg_method=method arg_path=url", "arg_methd=method arg_pth=url", "arg_body_size", "arg_bodysize"},
		"spoe.conf:8: arg_bodysize is no argument that mirrorgate knows; write arg_body_size",
		"spoe.conf:7: arg_methd is no argument that mirrorgate knows; write arg_method",
		"spoe.conf:7: arg_pth is no argument that mirrorgate knows; write arg_path")
	f("arguments of others", []string{"arg_ver=req.ver", "arg_ver=req.ver app=str(x) argument_of_mine=src"})
	f("no method", []string{"arg_method=method ", ""}, "spoe.conf:8: without arg_method mirrorgate ignores the message; append arg_method=method")
	f("no path", []string{"arg_path=url ", ""}, "spoe.conf:8: without arg_path mirrorgate ignores the message; append arg_path=url")
	f("no fields", []string{" arg_hdrs=req.hdrs_bin", ""}, "spoe.conf:8: without arg_hdrs requests are mirrored without their fields, Host too; append arg_hdrs=req.hdrs_bin")
	f("no body", []string{"arg_body=req.body ", ""},
		"spoe.conf:8: note: without arg_body requests that declare a body are dropped as no_body, or go out without it with --truncated send; append arg_body=req.body if bodies shall be mirrored")
	f("no body size", []string{" arg_body_size=req.body_size", ""}, "spoe.conf:8: note: that a chunked body was cut is not seen; append arg_body_size=req.body_size")
	f("path alone", []string{"arg_path=url", "arg_path=path"}, "spoe.conf:7: the mirrored requests have no query; use arg_path=url: mirrorgate takes path and query out of it")
	f("path and query", []string{"arg_path=url", "arg_path=pathq"})
	f("converted url", []string{"arg_path=url", `arg_path='url,regsub(^https?://[^/]*,,)'`},
		"spoe.conf:7: note: url needs no conversion: of one with scheme and host, as HTTP/2 has it, mirrorgate takes path and query; arg_path=url will do")

	f("buffering without a limit", []string{"timeout http-request 60s", "timeout client 60s"},
		"haproxy.cfg:8: there is no timeout http-request: a client that sends its body slowly is waited for as long as timeout client says, and holds a buffer; add timeout http-request 10s")

	// gRPC.
	const streams = "haproxy.cfg:8: note: if gRPC is spoken by the origin at haproxy.cfg:12, clients that stream get a 408 after timeout http-request: " +
		"the option waits for the end of a body; mirrorgate config haproxy --grpc prints what waits for other bodies only"
	f("gRPC", []string{"server origin 127.0.0.1:8080", "server origin 127.0.0.1:8080 proto h2"}, streams)
	f("gRPC over TLS", []string{"server origin 127.0.0.1:8080", "server origin 127.0.0.1:8443 ssl alpn h2,http/1.1"}, streams)
	f("gRPC by a rule", []string{buffer, buffer + "    acl grpc req.hdr(content-type) -m beg application/grpc\n"}, strings.Replace(streams, "gRPC is spoken by the origin at haproxy.cfg:12", "it carries the gRPC at haproxy.cfg:9", 1))
	f("clients with prior knowledge", []string{buffer, buffer + "    bind :8081 proto h2\n"}, strings.Replace(streams, "gRPC is spoken by the origin at haproxy.cfg:12", "it carries gRPC, as clients that speak HTTP/2 only may, from the address at haproxy.cfg:9", 1))
	f("HTTP/2 without buffering", []string{"server origin 127.0.0.1:8080", "server origin 127.0.0.1:8080 proto h2", buffer, "", "arg_body=req.body ", ""},
		"spoe.conf:8: note: without arg_body requests that declare a body are dropped as no_body, or go out without it with --truncated send; append arg_body=req.body if bodies shall be mirrored")

	// At the response.
	f("request at the response", []string{"on-frontend-http-request if wanted", "on-http-response if", args, "args arg_method=method arg_path=url arg_hdrs=req.hdrs_bin"},
		"spoe.conf:7: arg_path=url is empty at on-http-response: the request has gone; keep it in a variable of the request, as mirrorgate config haproxy --event response does",
		"spoe.conf:7: arg_hdrs=req.hdrs_bin is empty at on-http-response: the request has gone; keep it in a variable of the request, as mirrorgate config haproxy --event response does",
		"spoe.conf:8: arg_body=req.body is empty at on-http-response: the request has gone; keep it in a variable of the request, as mirrorgate config haproxy --event response does")
	response := []string{"on-frontend-http-request if wanted", "on-http-response if { var(txn.on) -m bool }",
		args, "args arg_method=var(txn.method) arg_path=var(txn.url) arg_hdrs=var(txn.hdrs)", "arg_body=req.body ", "arg_body=var(txn.body) "}
	variables := []string{buffer, buffer + "    acl again path_beg /no\n    http-request set-var(txn.on) bool(1) if !again\n" +
		"    http-request set-var(txn.method) method,concat()\n    http-request set-var(txn.url) url\n    http-request set-var(txn.hdrs) req.hdrs_bin\n    http-request set-var(txn.body) req.body\n"}
	f("variables at the response", append(response, variables...))
	f("a variable that loses methods", append(append(response, variables...), "method,concat()", "method"),
		"haproxy.cfg:11: in a variable HAProxy before 3.4 keeps a method that it does not know, such as PATCH, as OPTIONS, and so it is mirrored; write method,concat() instead of method")
	f("a variable that nothing sets", append(append(response, variables...), "set-var(txn.url) url", "set-var(txn.uri) url"),
		"spoe.conf:7: arg_path is empty: no rule of frontend www sets txn.url; mirrorgate config haproxy --event response prints the rules")
	f("a variable of the path alone", append(append(response, variables...), "set-var(txn.url) url", "set-var(txn.url) path"),
		"spoe.conf:7: the mirrored requests have no query; use arg_path=url: mirrorgate takes path and query out of it")

	// Groups.
	group := []string{"messages mirror", "groups all", event, "", "spoe-message mirror", "spoe-group all\n    messages mirror\nspoe-message mirror"}
	f("group", append(group, buffer, "    http-request wait-for-body time 1s\n    http-request send-spoe-group mirror all if { nbsrv(agents) gt 0 }\n"))
	f("group without guards or body", append(group, buffer, "    http-request send-spoe-group mirror all\n"),
		"haproxy.cfg:8: there is no nbsrv guard: each request looks for an agent also when none is up; add to its condition { nbsrv(agents) gt 0 }",
		"haproxy.cfg:9: there is no option http-buffer-request: a request is mirrored before its body has arrived; add option http-buffer-request to frontend www")
	f("group that nothing sends", group, "haproxy.cfg:9: no rule sends group all; add http-request send-spoe-group mirror all")
	f("unknown group", []string{"messages mirror", "messages mirror\n    groups all"}, "spoe.conf:4: there is no spoe-group all in this engine; correct the name, or add the section")

	// The backend.
	f("no backend named", []string{"use-backend agents", ""}, "spoe.conf:2: the agent has no use-backend; name the backend that leads to mirrorgate")
	f("no backend", []string{"use-backend agents", "use-backend agent"}, "spoe.conf:4: there is no backend agent in the configuration; correct the name, or add the section that mirrorgate config haproxy prints")
	f("inherited mode", []string{"    mode tcp\n", ""}, "haproxy.cfg:4: backend agents is in mode http; add to the backend mode tcp, or mode spop for HAProxy 3.1 and later")
	f("mode spop", []string{"mode tcp", "mode spop"})
	f("no spop-check", []string{"option spop-check", ""}, "haproxy.cfg:13: there is no option spop-check: an agent that hangs counts as up, and one that stops cannot say so; add option spop-check")
	f("no server", []string{server, ""}, "haproxy.cfg:13: backend agents has no server; add server mirrorgate HOST:PORT check inter 1s fastinter 200ms fall 2")
	f("no check", []string{"check inter", "inter"}, "haproxy.cfg:16: the server is not checked: while it is dead, requests wait the whole timeout processing; add check inter 1s fastinter 200ms fall 2")
	f("check by default", []string{"check inter 1s", "", "server one", "default-server check inter 1s\n    server one"})
	f("no check in spite of a default", []string{"check inter 1s", "no-check", "server one", "default-server check inter 1s\n    server one"},
		"haproxy.cfg:17: the server is not checked: while it is dead, requests wait the whole timeout processing; add check inter 1s fastinter 200ms fall 2")
	f("maxconn", []string{server, server + " maxconn 20"}, "haproxy.cfg:16: with maxconn HAProxy opens a connection for each request, or queues them; remove maxconn")
	f("maxconn by default", []string{"timeout http-request 60s", "timeout http-request 60s\n    default-server maxconn 100"}, "haproxy.cfg:6: with maxconn HAProxy opens a connection for each request, or queues them; remove maxconn")
	f("maxconn of others", []string{"127.0.0.1:8080", "127.0.0.1:8080 maxconn 20"})
	f("TLS", []string{server, server + " ssl"}, "haproxy.cfg:16: mirrorgate does not speak TLS to HAProxy; remove ssl")
	f("PROXY protocol", []string{server, server + " send-proxy-v2"}, "haproxy.cfg:16: mirrorgate does not read the PROXY protocol; remove send-proxy-v2")
	f("no pool", []string{server, server + " pool-max-conn 0"}, "haproxy.cfg:16: with pool-max-conn 0 HAProxy opens a connection for each request; remove pool-max-conn")

	// How it is written.
	f("quotes", []string{"engine mirror config spoe.conf", `'engine' "${ENGINE}" config "spoe".conf # and more`})
	f("comment", []string{"option spop-check", "# option spop-check"}, "haproxy.cfg:13: there is no option spop-check: an agent that hangs counts as up, and one that stops cannot say so; add option spop-check")
	f("setenv", []string{"tune.bufsize 32768", "setenv SIZE 32768\n    tune.bufsize \"$SIZE\""})
	f("presetenv", []string{"tune.bufsize 32768", "presetenv SIZE 32768\n    presetenv SIZE 16384\n    tune.bufsize \"$SIZE\""})
	f("condition", []string{"option spop-check", ".if version_atleast(2.4)\n    option spop-check\n.endif"})
	f("quote without an end", []string{"mode tcp", "mode 'tcp"}, "haproxy.cfg:14: a quote has no end")
	f("no configuration", []string{"global", "# global"}, `haproxy.cfg:2: "tune.bufsize" stands outside of any section: is this a HAProxy configuration?`)
	f("two frontends", []string{"\nbackend origin\n", "\nfrontend two\n" + buffer + "    " + filter + "\nbackend origin\n", "processing 20ms", "processing 1s"},
		"spoe.conf:5: requests wait 1s for an agent that has died, until HAProxy has noticed; 20ms is plenty: timeout processing 20ms")
}

// A target that is production is found by its address, however it is written.
func TestExamineTargets(t *testing.T) {
	f := func(config, target string, want ...string) {
		t.Helper()
		u, err := url.Parse(target)
		if err != nil {
			t.Fatal(err)
		}
		files := map[string]string{"haproxy.cfg": config, "spoe.conf": soundSPOE}
		got := examine(t, Options{Targets: []Target{{"v2", u}}}, files)
		if got != strings.Join(want, "\n") {
			t.Errorf("%s: found\n%s\nwant\n%s", target, got, strings.Join(want, "\n"))
		}
	}
	const advice = "; give it the address of a test system"
	const origin = "is production's server origin: each write is done twice" + advice
	const loop = "is frontend www, whose requests are mirrored: what is mirrored comes back to production" + advice
	f(soundConfig, "http://127.0.0.1:8081")
	f(soundConfig, "http://127.0.0.2:8080")
	f(soundConfig, "http://127.0.0.1:8080/prefix", "haproxy.cfg:12: target v2 (http://127.0.0.1:8080/prefix) "+origin)
	f(soundConfig, "http://localhost:8080", "haproxy.cfg:12: target v2 (http://localhost:8080) "+origin)
	f(soundConfig, "http://127.0.0.1", "haproxy.cfg:7: target v2 (http://127.0.0.1) "+loop)
	f(soundConfig, "http://no-such-host.invalid:8080")
	with := func(old, new string) string { return strings.Replace(soundConfig, old, new, 1) }
	f(with("server origin 127.0.0.1:8080", "server origin ipv6@[::1]:8080"), "http://[::1]:8080", "haproxy.cfg:12: target v2 (http://[::1]:8080) "+origin)
	f(with("server origin 127.0.0.1:8080", "server origin unix@/run/origin"), "unix:///run/origin")
	f(with("bind :80", "bind *:443,127.0.0.1:81 ssl"), "https://127.0.0.1", "haproxy.cfg:7: target v2 (https://127.0.0.1) "+loop)
	f(with("bind :80", "bind *:443,127.0.0.1:81 ssl"), "http://127.0.0.1:81", "haproxy.cfg:7: target v2 (http://127.0.0.1:81) "+loop)
	f(with("bind :80", "bind 127.0.0.9:80"), "http://127.0.0.1")
	// A part of HAProxy that mirrors nothing may be that of a test system.
	other := soundConfig + "frontend staging\n    bind :81\n    default_backend staging\nbackend staging\n    server s 127.0.0.1:9000\n"
	f(other, "http://127.0.0.1:9000")
	f(other, "http://127.0.0.1:81", "haproxy.cfg:18: note: target v2 (http://127.0.0.1:81) is frontend staging of this HAProxy; make sure that it does not lead to production")
	dynamic := strings.Replace(other, "default_backend origin", "use_backend %[req.hdr(host)]", 1)
	f(dynamic, "http://127.0.0.1:9000", "haproxy.cfg:21: target v2 (http://127.0.0.1:9000) is production's server s: each write is done twice"+advice)
}

// What HAProxy itself refuses is said first, with the place that it names.
func TestExamineWithHAProxy(t *testing.T) {
	f := func(output string, status int, want string) {
		t.Helper()
		program := filepath.Join(t.TempDir(), "haproxy")
		if err := os.WriteFile(program, []byte(fmt.Sprintf("#!/bin/sh\ntest \"$1 $2\" = '-c -f' || exit 0\ncat >&2 <<'END'\n%s\nEND\nexit %d\n", output, status)), 0o700); err != nil {
			t.Fatal(err)
		}
		if got := examine(t, Options{HAProxy: program}, map[string]string{"haproxy.cfg": soundConfig, "spoe.conf": soundSPOE}); got != want {
			t.Errorf("found\n%s\nwant\n%s", got, want)
		}
	}
	const more = "; haproxy -c -f haproxy.cfg says more"
	f("Configuration file is valid", 0, "")
	f("[ALERT]    (12) : config : parsing [haproxy.cfg:7] : unknown keyword 'bnd' in 'frontend' section\n[ALERT] (12) : config : Fatal errors.", 1,
		"haproxy.cfg:7: HAProxy refuses it: unknown keyword 'bnd' in 'frontend' section"+more)
	f("[NOTICE]   (12) : haproxy version is 2.6\n[ALERT]    (12) : config : Proxy 'www': unable to find required default_backend: 'x'.", 1,
		"haproxy.cfg: HAProxy refuses it: Proxy 'www': unable to find required default_backend: 'x'"+more)
	f("dead", 139, "haproxy.cfg: HAProxy refuses the configuration; haproxy -c -f haproxy.cfg says why")
}

// Defaults of one file hold in the next, and a directory is read in the order of
// its names.
func TestExamineFiles(t *testing.T) {
	head, tail, _ := strings.Cut(soundConfig, "frontend www")
	files := map[string]string{
		"1.cfg": head + "    option http-buffer-request\n", "2.cfg": "frontend www" + strings.Replace(tail, "option http-buffer-request", "", 1),
		"0.not": "no configuration", "spoe.conf": soundSPOE,
	}
	f := func(want string, names ...string) {
		t.Helper()
		if got := examine(t, Options{Files: names}, files); got != want {
			t.Errorf("%q: found\n%s\nwant\n%s", names, got, want)
		}
	}
	f("", "1.cfg", "2.cfg")
	f("", ".")
	f("2.cfg:4: frontend www is not in mode http, so there are no requests to mirror; add mode http\n"+
		"2.cfg:4: there is no option http-buffer-request: a request is mirrored before its body has arrived; add option http-buffer-request to frontend www", "2.cfg")
	f("open 3.cfg: no such file or directory", "1.cfg", "3.cfg")
}
