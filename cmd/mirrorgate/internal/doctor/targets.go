package doctor

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Target is where mirrorgate sends copies.
type Target struct {
	Name string
	URL  *url.URL
}

// resolveTime is how long the look-up of a name may take.
const resolveTime = 3 * time.Second

// place is where something listens: a host with its addresses, or a unix socket.
type place struct {
	ips  []net.IP // none: all of this host
	port string   // or the path of a socket
	unix bool
}

// targets looks for targets that are production, by their addresses: each write that is
// mirrored to it is done twice.
func (x *examination) targets(ctx context.Context) {
	for _, t := range x.options.Targets {
		to, ok := placeOfURL(ctx, t.URL)
		if !ok {
			continue
		}
		name := fmt.Sprintf("target %s (%s)", t.Name, t.URL.Redacted())
		for _, s := range x.config.sections {
			for _, l := range s.lines {
				switch {
				case l.is("bind") && s.proxy():
					x.bindOf(ctx, s, l, name, to)
				case l.is("server") && x.production(s):
					if at, ok := placeOf(ctx, l.word(2), to.port); ok && at.ips != nil && at.meets(to) {
						x.bite(l, fmt.Sprintf("%s is production's server %s: each write is done twice", name, l.word(1)), "give it the address of a test system")
					}
				}
			}
		}
	}
}

// bindOf checks whether the target is where the proxy listens.
func (x *examination) bindOf(ctx context.Context, s *section, l *line, name string, to place) {
	for address := range strings.SplitSeq(l.word(1), ",") {
		at, ok := placeOf(ctx, address, "")
		switch {
		case !ok || !at.meets(to):
		case slices.Contains(x.mirrored, s):
			x.bite(l, fmt.Sprintf("%s is %s %s, whose requests are mirrored: what is mirrored comes back to production", name, s.kind, s.name), "give it the address of a test system")
		default:
			x.note(l, fmt.Sprintf("%s is %s %s of this HAProxy", name, s.kind, s.name), "make sure that it does not lead to production")
		}
	}
}

// production reports whether requests that are mirrored may go to servers of the section.
func (x *examination) production(s *section) bool {
	if slices.Contains(x.mirrored, s) {
		return true
	}
	return slices.ContainsFunc(x.mirrored, func(p *section) bool {
		return slices.ContainsFunc(append(p.all("use_backend"), p.all("default_backend")...), func(l *line) bool {
			return s.kind != "frontend" && s.proxy() && !slices.Contains(x.backends, s) && (l.word(1) == s.name || strings.Contains(l.word(1), "%["))
		})
	})
}

// meets reports whether whoever connects to b reaches what listens at a.
func (a place) meets(b place) bool {
	if a.unix != b.unix || a.port != b.port {
		return false
	}
	if a.unix {
		return true
	}
	if a.ips == nil {
		return slices.ContainsFunc(b.ips, ofThisHost)
	}
	return slices.ContainsFunc(a.ips, func(ip net.IP) bool {
		return slices.ContainsFunc(b.ips, ip.Equal)
	})
}

// ofThisHost reports whether the address is one of the host that this runs on.
func ofThisHost(ip net.IP) bool {
	if ip.IsLoopback() {
		return true
	}
	addresses, _ := net.InterfaceAddrs()
	return slices.ContainsFunc(addresses, func(a net.Addr) bool {
		network, ok := a.(*net.IPNet)
		return ok && network.IP.Equal(ip)
	})
}

func placeOfURL(ctx context.Context, u *url.URL) (place, bool) {
	if u.Scheme == "unix" {
		return place{port: u.Path, unix: true}, true
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	ips := lookUp(ctx, u.Hostname())
	return place{ips: ips, port: port}, ips != nil
}

// placeOf reads the address of a bind or server line. A server without a port has that
// of its clients.
func placeOf(ctx context.Context, address, defaultPort string) (place, bool) {
	if path, ok := strings.CutPrefix(address, "unix@"); ok || strings.HasPrefix(address, "/") {
		return place{port: path, unix: true}, true
	}
	family, rest, ok := strings.Cut(address, "@")
	switch {
	case !ok:
		rest = address
	case family != "ipv4" && family != "ipv6":
		return place{}, false
	}
	i := strings.LastIndexByte(rest, ':')
	host, port := rest, defaultPort
	if i >= 0 && !strings.Contains(rest[i:], "]") {
		host, port = rest[:i], rest[i+1:]
	}
	host = strings.Trim(host, "[]")
	if host == "" || host == "*" || host == "0.0.0.0" || host == "::" {
		return place{port: port}, true
	}
	ips := lookUp(ctx, host)
	return place{ips: ips, port: port}, ips != nil
}

// lookUp returns the addresses of a host; none if they are not known.
func lookUp(ctx context.Context, host string) []net.IP {
	if ip := net.ParseIP(host); ip != nil {
		return []net.IP{ip}
	}
	ctx, cancel := context.WithTimeout(ctx, resolveTime)
	defer cancel()
	ips, err := net.DefaultResolver.LookupIP(ctx, "ip", host)
	if err != nil {
		return nil
	}
	return ips
}
