package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// backend checks the way from the agent section to mirrorgate.
func (x *examination) backend(ctx context.Context, u use) {
	agent := u.engine.agent
	l := agent.own("use-backend")
	if l == nil {
		x.bite(agent.head, "the agent has no use-backend", "name the backend that leads to mirrorgate")
		return
	}
	b := x.config.find("backend", l.word(1))
	if b == nil {
		b = x.config.find("listen", l.word(1))
	}
	if b == nil {
		x.bite(l, fmt.Sprintf("there is no backend %s in the configuration", l.word(1)), "correct the name, or add the section that mirrorgate config haproxy prints")
		return
	}
	if slices.Contains(x.backends, b) {
		return
	}
	x.backends = append(x.backends, b)
	if mode := b.get("mode"); mode != nil && mode.word(1) != "tcp" && mode.word(1) != "spop" {
		x.bite(mode, fmt.Sprintf("backend %s is in mode %s", b.name, mode.word(1)), "add to the backend mode tcp, or mode spop for HAProxy 3.1 and later")
	}
	if b.option("spop-check") == nil {
		x.bite(b.head, "there is no option spop-check: an agent that hangs counts as up, and one that stops cannot say so", "add option spop-check")
	}
	servers := append(b.all("server"), b.all("server-template")...)
	if len(servers) == 0 {
		x.bite(b.head, fmt.Sprintf("backend %s has no server", b.name), "add server mirrorgate HOST:PORT check inter 1s fastinter 200ms fall 2")
	}
	for _, server := range servers {
		x.server(ctx, b, server, x.frameSize(agent))
	}
}

// What a server line must not have, and why not.
var serverTraps = []struct{ word, what string }{
	{"maxconn", "with maxconn HAProxy opens a connection for each request, or queues them"},
	{"ssl", "mirrorgate does not speak TLS to HAProxy"},
	{"send-proxy", "mirrorgate does not read the PROXY protocol"},
	{"send-proxy-v2", "mirrorgate does not read the PROXY protocol"},
}

func (x *examination) server(ctx context.Context, b *section, server *line, frameSize int64) {
	lines := append(b.all("default-server"), server)
	has := func(word string) bool { return slices.ContainsFunc(lines, func(l *line) bool { return l.has(word) }) }
	for _, trap := range serverTraps {
		for _, l := range lines {
			if l.has(trap.word) {
				x.bite(l, trap.what, "remove "+trap.word)
			}
		}
	}
	for _, l := range lines {
		if l.after("pool-max-conn") == "0" {
			x.bite(l, "with pool-max-conn 0 HAProxy opens a connection for each request", "remove pool-max-conn")
		}
	}
	if !has("check") || server.has("no-check") {
		x.bite(server, "the server is not checked: while it is dead, requests wait the whole timeout processing", "add check inter 1s fastinter 200ms fall 2")
	}
	if !x.options.Connect || len(x.options.Agents) > 0 || has("disabled") || server.is("server-template") {
		return
	}
	if address := x.agentAddress(server.word(2)); address != "" {
		x.ask(ctx, server, address, frameSize)
	}
}

// agentAddress returns where a server line leads, as HOST:PORT or unix:PATH; empty
// if it is no address that others can use.
func (x *examination) agentAddress(address string) string {
	path, unix := strings.CutPrefix(address, "unix@")
	if unix || strings.HasPrefix(path, "/") {
		if chroot := x.config.global("chroot"); chroot != nil {
			path = strings.TrimSuffix(chroot.word(1), "/") + path // HAProxy connects from in there
		}
		return "unix:" + path
	}
	family, rest, ok := strings.Cut(address, "@")
	switch {
	case !ok:
		return address
	case family == "ipv4" || family == "ipv6":
		return rest
	}
	return ""
}
