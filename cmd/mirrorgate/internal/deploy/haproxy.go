package deploy

import (
	_ "embed"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"slices"
	"strconv"
	"strings"
	"text/template"
)

// HAProxy is what a HAProxy configuration depends on.
type HAProxy struct {
	Version  HAProxyVersion
	Agents   []string // HOST:PORT or unix:PATH
	Sample   float64  // share of the requests that HAProxy sends, above 0, 1 is all
	MaxBody  int64    // bytes of body that have to fit, 0: whatever fits into HAProxy's buffer
	Methods  []string // none: all
	SPOEFile string   // path that the SPOE file will have

	AfterResponse bool // mirror when the response is there, and send its status with it
	Steer         bool // mirrorgate tells HAProxy how much to send
	NoBody        bool // bodies stay with HAProxy

	GRPC  bool     // the frontend carries gRPC, whose streams must not be buffered
	Unary []string // paths of gRPC whose methods are unary, exact or ending in '*': of gRPC only these are mirrored
}

// HAProxyVersion is the part of a HAProxy's version that matters.
type HAProxyVersion struct{ Major, Minor int }

var (
	oldestHAProxy      = HAProxyVersion{2, 0} // that has all that is always printed
	oldestMilliseconds = HAProxyVersion{2, 1} // whose date counts in them
	oldestWaiting      = HAProxyVersion{2, 4} // that can wait for a body by rule
	oldestSteered      = HAProxyVersion{2, 4} // that can set a variable at its start
	oldestMultiplexing = HAProxyVersion{3, 1} // whose backends have a mode for SPOP
)

// UnmarshalText reads 2.6, or 2.6.12.
func (v *HAProxyVersion) UnmarshalText(text []byte) error {
	major, rest, _ := strings.Cut(string(text), ".")
	minor, _, _ := strings.Cut(rest, ".")
	var err1, err2 error
	v.Major, err1 = strconv.Atoi(major)
	v.Minor, err2 = strconv.Atoi(minor)
	if err1 != nil || err2 != nil || v.before(oldestHAProxy) {
		return fmt.Errorf("%q should be a version of HAProxy from %s on, like 2.6 or 3.2", text, oldestHAProxy)
	}
	return nil
}

// String returns the version as HAProxy writes it.
func (v HAProxyVersion) String() string { return fmt.Sprintf("%d.%d", v.Major, v.Minor) }

func (v HAProxyVersion) before(w HAProxyVersion) bool {
	return v.Major < w.Major || v.Major == w.Major && v.Minor < w.Minor
}

const (
	// defaultBufsize is HAProxy's tune.bufsize in bytes.
	defaultBufsize = 16384
	// maxRewrite is HAProxy's tune.maxrewrite in bytes: kept free in a buffer, so
	// never filled by a body.
	maxRewrite = 1024
	// headRoom in bytes is for what shares the buffer with a body: request line,
	// fields, and HAProxy's bookkeeping.
	headRoom = 8192
	// maxBody in bytes keeps tune.bufsize below where HAProxy stops to start.
	maxBody = 128 << 20
	// agentFrame in bytes is what mirrorgate's --max-frame-size is by default.
	agentFrame = 1 << 20
)

// Bufsize returns the tune.bufsize in bytes that bodies of MaxBody bytes need.
func (h HAProxy) Bufsize() int64 {
	const page = 4096
	need := h.MaxBody + headRoom + maxRewrite
	return max(defaultBufsize, (need+page-1)/page*page)
}

// Validate says what HAProxy would not take.
func (h HAProxy) Validate() error {
	if len(h.Agents) == 0 {
		return errors.New("--agents is missing: name where mirrorgate listens, like 10.0.0.7:12345 or unix:/run/mirrorgate/spop.sock")
	}
	for i, agent := range h.Agents {
		if err := validateAgent(agent); err != nil {
			return fmt.Errorf("--agents: %w", err)
		}
		if slices.Contains(h.Agents[:i], agent) {
			return fmt.Errorf("--agents: %s is named twice", agent)
		}
	}
	for _, method := range h.Methods {
		if method == "" || strings.ContainsFunc(method, isSpecial) {
			return fmt.Errorf("--methods: %q should be methods like GET+HEAD", method)
		}
	}
	for _, path := range h.Unary {
		if !strings.HasPrefix(path, "/") || strings.ContainsFunc(strings.TrimSuffix(path, "*"), isSpecial) || strings.Contains(strings.TrimSuffix(path, "*"), "*") {
			return fmt.Errorf("--unary: %q should be a path like /pkg.Service/Method or /pkg.Service/*", path)
		}
	}
	switch {
	case h.Steer && h.Version.before(oldestSteered):
		return fmt.Errorf("--steer: HAProxy %s cannot be steered, %s and later can", h.Version, oldestSteered)
	case !(h.Sample > 0):
		return errors.New("--sample: a share of 0 would mirror nothing; take the filter out of HAProxy's configuration instead")
	case len(h.Unary) > 0 && !h.GRPC:
		return errors.New("--unary: it says which methods of gRPC are unary; give --grpc, too")
	case h.GRPC && h.NoBody:
		return errors.New("--grpc: a call of gRPC is its body; leave --no-body out")
	case h.GRPC && h.Version.before(oldestWaiting):
		return fmt.Errorf("--grpc: HAProxy %s cannot wait for bodies by rule, %s and later can", h.Version, oldestWaiting)
	case h.NoBody && h.MaxBody > 0:
		return errors.New("--max-body: with --no-body no body is sent at all; leave one of the two out")
	case h.MaxBody > maxBody:
		return fmt.Errorf("--max-body: %d bytes are more than HAProxy's buffer can hold, should be at most %d", h.MaxBody, maxBody)
	case h.SPOEFile == "" || strings.ContainsFunc(h.SPOEFile, isSpecial):
		return fmt.Errorf("--spoe-file: %q should be a path without blanks, quotes and other special characters", h.SPOEFile)
	}
	return nil
}

func validateAgent(agent string) error {
	bad := fmt.Errorf("%q should be HOST:PORT or unix:PATH", agent)
	if strings.ContainsFunc(agent, isSpecial) {
		return bad
	}
	if path, ok := strings.CutPrefix(agent, "unix:"); ok {
		if !strings.HasPrefix(path, "/") {
			return fmt.Errorf("%q should have an absolute path, like unix:/run/mirrorgate/spop.sock", agent)
		}
		return nil
	}
	host, port, err := net.SplitHostPort(agent)
	if err != nil || host == "" {
		return bad
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return fmt.Errorf("%q should have a port from 1 to 65535", agent)
	}
	return nil
}

// isSpecial reports whether c means something to HAProxy, or to a terminal, where
// only a word is wanted.
func isSpecial(c rune) bool { return c <= ' ' || c >= 0x7f || strings.ContainsRune(`"'\#${}()`, c) }

//go:embed haproxy.cfg.tmpl
var haproxyText string

//go:embed spoe.conf.tmpl
var spoeText string

// Both texts are one set of templates: the conditions stand in either.
var (
	haproxyTemplate = template.Must(template.New("haproxy.cfg").Parse(haproxyText))
	spoeTemplate    = template.Must(haproxyTemplate.New("spoe.conf").Parse(spoeText))
)

// WriteConfig writes the lines for haproxy.cfg. The options must be valid.
func (h HAProxy) WriteConfig(w io.Writer) error { return haproxyTemplate.Execute(w, haproxyView{h}) }

// WriteSPOE writes the SPOE file. The options must be valid.
func (h HAProxy) WriteSPOE(w io.Writer) error { return spoeTemplate.Execute(w, haproxyView{h}) }

// haproxyView is what the templates ask for.
type haproxyView struct{ HAProxy }

// Mux reports whether SPOP is a mode of backends, as since 3.1. What tunes the
// applet that spoke it before has no effect there.
func (v haproxyView) Mux() bool { return !v.Version.before(oldestMultiplexing) }

// Milliseconds reports whether HAProxy can tell how long production took; seconds
// would tell nothing.
func (v haproxyView) Milliseconds() bool { return !v.Version.before(oldestMilliseconds) }

func (v haproxyView) BiggerBuffer() bool { return v.Bufsize() > defaultBufsize }

func (v haproxyView) Head() int    { return headRoom }
func (v haproxyView) Rewrite() int { return maxRewrite }

// AgentFrame returns the --max-frame-size in bytes that mirrorgate needs for the
// buffer, 0 if its default will do.
func (v haproxyView) AgentFrame() int64 {
	if v.Bufsize() <= agentFrame {
		return 0
	}
	return v.Bufsize()
}

// Sampling returns the share as a condition, empty for all.
func (v haproxyView) Sampling() string {
	if v.Sample >= 1 {
		return ""
	}
	const finest = 1e6
	for of := 100.0; of < finest; of *= 10 {
		n := math.Round(v.Sample * of)
		if n > 0 && math.Abs(v.Sample*of-n) < 1e-6 {
			return fmt.Sprintf("rand(%.0f) lt %.0f", of, n)
		}
	}
	return fmt.Sprintf("rand(%.0f) lt %.0f", finest, max(1, math.Round(v.Sample*finest)))
}

// Percent returns the share for people.
func (v haproxyView) Percent() string {
	return strconv.FormatFloat(v.Sample*100, 'g', 6, 64) + "%"
}

// Condition is what has to hold for a request to be sent, cheapest first.
func (v haproxyView) Condition() string {
	names := []string{"mirror-agent-up"}
	if len(v.Methods) > 0 {
		names = append(names, "mirror-wanted")
	}
	if v.Sampling() != "" {
		names = append(names, "mirror-sampled")
	}
	if v.Steer {
		names = append(names, "mirror-steered")
	}
	wanted := strings.Join(names, " ")
	if len(v.Unary) > 0 {
		return "!mirror-grpc " + wanted + " or mirror-grpc mirror-unary " + wanted
	}
	return wanted
}

// ByGroup reports whether a rule of the frontend sends the message: one that waits
// for the body has to stand in front of it, and events come before all rules.
func (v haproxyView) ByGroup() bool { return v.GRPC && !v.AfterResponse }

// UnaryPaths returns the conditions that name unary methods.
func (v haproxyView) UnaryPaths() (conditions []string) {
	for _, path := range v.Unary {
		if prefix, ok := strings.CutSuffix(path, "*"); ok {
			conditions = append(conditions, "path -m beg "+prefix)
		} else {
			conditions = append(conditions, "path "+path)
		}
	}
	return conditions
}

type haproxyServer struct {
	Name, Address, Options string
}

// Servers are the agents as HAProxy names them. A host name that cannot be
// resolved must not keep HAProxy from starting.
func (v haproxyView) Servers() []haproxyServer {
	var servers []haproxyServer
	for i, agent := range v.Agents {
		s := haproxyServer{Name: fmt.Sprintf("mirrorgate%d", i+1), Address: agent}
		if path, ok := strings.CutPrefix(agent, "unix:"); ok {
			s.Address = "unix@" + path
		} else if host, _, _ := net.SplitHostPort(agent); net.ParseIP(host) == nil {
			s.Options = " init-addr last,libc,none"
		}
		servers = append(servers, s)
	}
	return servers
}

// Unix reports whether there is an agent on a unix socket.
func (v haproxyView) Unix() bool {
	return slices.ContainsFunc(v.Agents, func(a string) bool { return strings.HasPrefix(a, "unix:") })
}
