package doctor

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// All in bytes.
const (
	defaultBufsize    = 16384
	defaultMaxRewrite = 1024
	frameLength       = 4    // what a frame's length takes of HAProxy's buffer
	typicalHead       = 2048 // that shares the buffer with a body
)

// tune returns what the global section says, or what HAProxy has by default.
func (x *examination) tune(name string, fallback int64) int64 {
	if l := x.config.global(name); l != nil {
		if n, err := strconv.ParseInt(l.word(1), 10, 64); err == nil {
			return n
		}
	}
	return fallback
}

// frameSize returns the max-frame-size in bytes that HAProxy announces for an
// agent, which may be nil.
func (x *examination) frameSize(agent *section) int64 {
	size := x.tune("tune.bufsize", defaultBufsize) - frameLength
	if agent != nil {
		if l := agent.own("max-frame-size"); l != nil {
			if n, err := strconv.ParseInt(l.word(1), 10, 64); err == nil {
				return min(n, size)
			}
		}
	}
	return size
}

// bufsize checks that the bodies wanted fit.
func (x *examination) bufsize(u use) {
	size := x.tune("tune.bufsize", defaultBufsize)
	room := size - min(x.tune("tune.maxrewrite", defaultMaxRewrite), size/2)
	if x.options.MaxBody+typicalHead <= room {
		return
	}
	at := x.config.global("tune.bufsize")
	if at == nil {
		at = u.filter
	}
	x.bite(at, fmt.Sprintf("bodies of %d bytes are cut: tune.bufsize %d holds %d bytes of a request", x.options.MaxBody, size, room),
		fmt.Sprintf("mirrorgate config haproxy --max-body %d prints what is needed", x.options.MaxBody))
}

// largeBuffer finds what makes a body larger than a frame can be.
func (x *examination) largeBuffer(u use) {
	for s := u.proxy; s != nil; s = s.defaults {
		for _, l := range s.lines {
			if l.has("use-large-buffer") {
				x.bite(l, "a body in a large buffer does not fit into a frame, so its request is not mirrored", "remove use-large-buffer and raise tune.bufsize")
			}
		}
	}
}

// streaming finds what keeps gRPC from streaming: buffering waits for the end of
// what has none. That a frontend may carry gRPC is told by its rules, by clients that
// are known to speak HTTP/2, or by an origin that does.
func (x *examination) streaming(u use) {
	buffering := u.proxy.option("http-buffer-request")
	if buffering == nil {
		return
	}
	if u.proxy.get("timeout", "http-request") == nil {
		x.bite(buffering, "there is no timeout http-request: a client that sends its body slowly is waited for as long as timeout client says, and holds a buffer", "add timeout http-request 10s")
	}
	note := func(what string, l *line) {
		x.note(buffering, fmt.Sprintf("if %s at %s:%d, clients that stream get a 408 after timeout http-request: the option waits for the end of a body", what, l.file, l.number),
			"mirrorgate config haproxy --grpc prints what waits for other bodies only")
	}
	for s := u.proxy; s != nil; s = s.defaults {
		for _, l := range s.lines {
			switch {
			case strings.Contains(strings.Join(l.words, " "), "application/grpc"):
				note("it carries the gRPC", l)
				return
			case l.is("bind") && l.after("proto") == "h2":
				note("it carries gRPC, as clients that speak HTTP/2 only may, from the address", l)
				return
			}
		}
	}
	for _, s := range x.config.sections {
		for _, l := range append(s.all("default-server"), s.all("server")...) {
			if l.after("proto") == "h2" || slices.Contains(strings.Split(l.after("alpn"), ","), "h2") {
				note("gRPC is spoken by the origin", l)
				return
			}
		}
	}
}
