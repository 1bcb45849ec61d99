package e2e

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mirrorgate/mirrorgate/cmd/internal/haproxy"
)

// documentedSPOE is, to the word, what HAProxy documents for its own mirror agent.
const documentedSPOE = `[mirror]
spoe-agent mirror
    log global
    messages mirror
    use-backend mirroragents
    timeout hello 500ms
    timeout idle 5s
    timeout processing 5s

spoe-message mirror
    args arg_method=method arg_path=url arg_ver=req.ver arg_hdrs=req.hdrs_bin arg_body=req.body
    event on-frontend-http-request
`

// sizedSPOE tells the size of a body also where the request does not, and shows
// what went wrong between HAProxy and the agent.
var sizedSPOE = strings.NewReplacer(
	"arg_body=req.body", "arg_body=req.body arg_body_size=req.body_size",
	"timeout processing 5s", "timeout processing 5s\n    option var-prefix mirror\n    option set-on-error error",
).Replace(documentedSPOE)

const proxyConfig = `
global
    log stdout format raw local0 warning
    maxconn 2000
    nbthread 2

defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s

frontend main
    bind fd@3
    monitor-uri ` + haproxy.ReadyPath + `
    option http-buffer-request
%s
    http-response set-header spoe-error %%[var(txn.mirror.error)] if { var(txn.mirror.error) -m found }
    default_backend origin

backend origin
    server origin %s
`

const agentBackend = `
backend %s
    mode tcp
    option spop-check
    timeout connect 5s
    timeout server 60s
    server agent %s check inter 200ms fall 1
`

// startProxy runs HAProxy in front of the origin until the test ends, with one
// filter for each agent. The first one's engine is named mirror and its backend
// mirroragents; for others an x is appended to both.
func startProxy(t *testing.T, spoe, origin string, agents ...*agent) (addr string) {
	t.Helper()
	addr, _ = startLoggingProxy(t, spoe, origin, agents...)
	return addr
}

// startLoggingProxy also returns what HAProxy has to say on failures.
func startLoggingProxy(t *testing.T, spoe, origin string, agents ...*agent) (addr string, log *haproxy.Output) {
	t.Helper()
	var filters, backends, sections strings.Builder
	for i, a := range agents {
		x := strings.Repeat("x", i)
		fmt.Fprintf(&filters, "    filter spoe engine mirror%s config spoe.cfg\n", x)
		fmt.Fprintf(&backends, agentBackend, "mirroragents"+x, a.spop)
		sections.WriteString(strings.NewReplacer("[mirror]", "[mirror"+x+"]", "mirroragents", "mirroragents"+x).Replace(spoe))
	}
	listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	h, err := haproxy.Start(context.Background(), map[string]string{
		"haproxy.cfg": fmt.Sprintf(proxyConfig, filters.String(), origin) + backends.String(),
		"spoe.cfg":    sections.String(),
	}, listener)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Stop)
	return listener.Addr().String(), h.Output()
}

// sendRaw sends bytes over a connection of their own and returns the response's
// status and header.
func sendRaw(t *testing.T, addr, request string) (status int, header http.Header) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := conn.Write([]byte(request)); err != nil {
		t.Fatal(err)
	}
	method, _, _ := strings.Cut(request, " ")
	in := bufio.NewReader(conn)
	for {
		resp, err := http.ReadResponse(in, &http.Request{Method: method})
		if err != nil {
			t.Fatalf("no response to %.100q: %v", request, err)
		}
		if resp.StatusCode >= http.StatusOK {
			return resp.StatusCode, resp.Header
		}
	}
}
