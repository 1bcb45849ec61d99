package main

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"strings"

	"github.com/mirrorgate/mirrorgate/cmd/internal/haproxy"
)

// proxyConfig has two ways to the origin that differ by the filter alone. The
// second one is that of `mirrorgate config haproxy`, which comes behind it.
const proxyConfig = `
global
    maxconn 4096

defaults
    mode http
    timeout connect 5s
    timeout client  30s
    timeout server  30s
    monitor-uri ` + haproxy.ReadyPath + `

backend origin
    server origin %s

frontend plain
    bind fd@3
    option http-buffer-request
    default_backend origin

`

// proxy is a HAProxy with its address without and with mirroring.
type proxy struct {
	*haproxy.Process
	version         haproxy.Version
	plain, mirrored string
}

// startProxy starts the haproxy on PATH, configured by the mirrorgate given, in
// front of an origin and an agent.
func startProxy(ctx context.Context, mirrorgate, origin, agent string) (p proxy, err error) {
	if p.version, err = haproxy.Installed(); err != nil {
		return p, err
	}
	printed := func(part string) (string, error) {
		out, err := exec.CommandContext(ctx, mirrorgate, "config", "haproxy", "--haproxy", p.version.String(),
			"--agents", agent, "--spoe-file", "spoe.cfg", "--part", part).Output()
		if err != nil {
			return "", fmt.Errorf("cannot print HAProxy's configuration: %w", err)
		}
		return string(out), nil
	}
	mirrored, err := printed("haproxy")
	if err != nil {
		return p, err
	}
	spoe, err := printed("spoe")
	if err != nil {
		return p, err
	}
	const frontend = "frontend www\n"
	if !strings.Contains(mirrored, frontend) {
		return p, fmt.Errorf("cannot configure HAProxy: what is printed has no %q", frontend)
	}
	mirrored = strings.Replace(mirrored, frontend, frontend+"    bind fd@4\n    default_backend origin\n", 1)
	var listeners [2]*net.TCPListener
	for i := range listeners {
		if listeners[i], err = net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
			return p, fmt.Errorf("cannot listen for HAProxy: %w", err)
		}
	}
	p.plain, p.mirrored = listeners[0].Addr().String(), listeners[1].Addr().String()
	p.Process, err = haproxy.Start(ctx, map[string]string{
		"haproxy.cfg": fmt.Sprintf(proxyConfig, origin) + mirrored, "spoe.cfg": spoe,
	}, listeners[:]...)
	return p, err
}
