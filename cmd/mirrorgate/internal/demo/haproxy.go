package demo

import (
	"context"
	"fmt"
	"net"

	"github.com/mirrorgate/mirrorgate/cmd/internal/haproxy"
)

// proxyConfig has two ways to the origin that differ by the filter alone, so that
// their latencies can be compared.
const proxyConfig = `
global
    maxconn 4096
    nbthread 2

defaults
    mode http
    timeout connect 5s
    timeout client  30s
    timeout server  30s
    option http-buffer-request
    monitor-uri ` + haproxy.ReadyPath + `

frontend plain
    bind fd@3
    default_backend origin

frontend mirrored
    bind fd@4
    filter spoe engine mirror config spoe.cfg
    default_backend origin

backend origin
    server origin %s

backend mirroragents
    mode tcp
    option spop-check
    timeout server 1m
    server mirrorgate %s check inter 1s fall 2
`

const spoeConfig = `
[mirror]
spoe-agent mirror
    log global
    messages mirror
    use-backend mirroragents
    timeout hello      500ms
    timeout idle       5s
    timeout processing 500ms

spoe-message mirror
    args arg_method=method arg_path=url arg_ver=req.ver arg_hdrs=req.hdrs_bin arg_body=req.body arg_body_size=req.body_size
    event on-frontend-http-request
`

// startHAProxy returns HAProxy with its address without and with mirroring.
func startHAProxy(ctx context.Context, origin, agent string) (h *haproxy.Process, plain, mirrored string, err error) {
	var listeners [2]*net.TCPListener
	for i := range listeners {
		if listeners[i], err = net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
			return nil, "", "", fmt.Errorf("cannot listen for HAProxy: %w", err)
		}
	}
	h, err = haproxy.Start(ctx, map[string]string{
		"haproxy.cfg": fmt.Sprintf(proxyConfig, origin, agent),
		"spoe.cfg":    spoeConfig,
	}, listeners[:]...)
	return h, listeners[0].Addr().String(), listeners[1].Addr().String(), err
}
