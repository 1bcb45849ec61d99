package e2e

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mirrorgate/mirrorgate/cmd/internal/haproxy"
)

// proxyOptions are what differs between the HAProxies of the interop tests.
type proxyOptions struct {
	threads int
	mode    string // of the agents' backend: tcp, or spop since 3.1
	bufsize int    // 0: HAProxy's default
	frame   int    // max-frame-size of the agent's section, 0: HAProxy's default
	idle    string // how long a connection to an agent may be idle, "": long
	spoe    string // "": sizedSPOE
	check   string // how HAProxy checks its agents; "": often
}

const interopConfig = `
global
    log stdout format raw local0 warning
    maxconn 2000
    nbthread %THREADS%
    stats socket unix@` + haproxy.Socket + ` level admin expose-fd listeners
    %BUFSIZE%

defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s

frontend main
    bind %BIND%
    monitor-uri ` + haproxy.ReadyPath + `
    option http-buffer-request
    option idle-close-on-response
    filter spoe engine mirror config spoe.cfg
    http-response set-header spoe-error %[var(txn.mirror.error)] if { var(txn.mirror.error) -m found }
    default_backend origin

backend origin
    server origin %ORIGIN%

backend mirroragents
    mode %MODE%
    option spop-check
    timeout connect 5s
    timeout server 60s
`

// files returns the configuration. Agents are addresses as HAProxy writes them.
func (o proxyOptions) files(bind, origin string, agents ...string) map[string]string {
	bufsize, spoe, purge := "", o.spoe, ""
	if o.bufsize > 0 {
		bufsize = fmt.Sprintf("tune.bufsize %d", o.bufsize)
	}
	if spoe == "" {
		spoe = sizedSPOE
	}
	if o.frame > 0 {
		spoe = strings.Replace(spoe, "timeout hello", fmt.Sprintf("max-frame-size %d\n    timeout hello", o.frame), 1)
	}
	if o.idle != "" {
		spoe = strings.Replace(spoe, "timeout idle 5s", "timeout idle "+o.idle, 1)
		purge = " pool-purge-delay " + o.idle
	}
	config := strings.NewReplacer("%THREADS%", fmt.Sprint(max(1, o.threads)), "%BUFSIZE%", bufsize,
		"%BIND%", bind, "%ORIGIN%", origin, "%MODE%", o.mode).Replace(interopConfig)
	check := cmp.Or(o.check, "check inter 200ms fall 1 rise 1")
	for i, agent := range agents {
		config += fmt.Sprintf("    server agent%d %s %s%s\n", i+1, agent, check, purge)
	}
	return map[string]string{"haproxy.cfg": config, "spoe.cfg": spoe}
}

// interop is a HAProxy in front of an origin until the test ends.
type interop struct {
	*haproxy.Process
	addr   string
	origin *recorder
}

// startInterop starts HAProxy and an origin.
func startInterop(t *testing.T, o proxyOptions, agents ...string) *interop {
	t.Helper()
	p := &interop{origin: startRecorder(t)}
	var release func()
	var err error
	if p.addr, release, err = haproxy.Reserve(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	if p.Process, err = haproxy.StartAt(t.Context(), p.addr, o.files(p.addr, p.origin.addr(), agents...)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	return p
}

// agentModes are the modes that the backend of the agents may have.
func agentModes() []string {
	if proxyVersion.Mux() {
		return []string{"spop", "tcp"}
	}
	return []string{"tcp"}
}

// inPeace checks that an agent saw no error of the protocol, and had no reason to
// warn.
func (a *agent) inPeace() {
	a.t.Helper()
	if errors := a.counters().By("code", "mirrorgate_spop_errors_total"); len(errors) > 0 {
		a.t.Errorf("errors of SPOP: %v", errors)
	}
	for line := range strings.Lines(a.log.String()) {
		if !strings.Contains(line, `"level":"INFO"`) {
			a.t.Errorf("mirrorgate says: %s", line)
		}
	}
}

// inPeace checks that HAProxy had no trouble with its agents.
func (p *interop) inPeace(t *testing.T) {
	t.Helper()
	for line := range strings.Lines(p.Output().String()) {
		if strings.Contains(line, "SPOE:") || strings.Contains(line, "is DOWN") {
			t.Errorf("HAProxy says: %s", line)
		}
	}
}

// serverStatus is that of the first agent, like UP.
func (p *interop) serverStatus(t *testing.T) string {
	t.Helper()
	response, err := p.Ask("show stat")
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(response, "# "))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	status := slices.Index(rows[0], "status")
	for _, row := range rows {
		if row[0] == "mirroragents" && row[1] == "agent1" {
			return row[status]
		}
	}
	t.Fatal("HAProxy has no agent1")
	return ""
}
