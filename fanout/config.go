package fanout

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/mirrorgate/mirrorgate/fanout/internal/wire"
	"github.com/mirrorgate/mirrorgate/fanout/record/kafka"
)

// DropPolicy is the policy of a full queue: who goes.
type DropPolicy uint8

// The policies.
const (
	DropNewest  DropPolicy = iota // the request that finds the queue full
	DropOldest                    // the request that has waited longest
	DropUniform                   // at random, and by key, before the queue is full
)

var dropNames = []string{"newest", "oldest", "uniform"}

// String returns the name that the options use.
func (d DropPolicy) String() string { return dropNames[d] }

// ParseDrop reads a policy by its name.
func ParseDrop(s string) (DropPolicy, error) {
	i := slices.Index(dropNames, s)
	if i < 0 {
		return 0, fmt.Errorf("drop is %q, should be one of %s", s, strings.Join(dropNames, ", "))
	}
	return DropPolicy(i), nil
}

// The values of TargetConfig.Host that are no host name.
const (
	HostKeep   = "keep"   // the Host of the mirrored request
	HostTarget = "target" // the host of the target's URL
)

// AgainstProduction is the value of TargetConfig.Against with which the status is
// compared that HAProxy tells of production's response, where it does. An empty
// Against means the same.
const AgainstProduction = "production"

// TargetConfig says where copies go and how. Sample and Methods belong to the
// group, so all targets of a group have the same.
type TargetConfig struct {
	Name   string
	URL    *url.URL // http, https, h2c or unix; its path goes in front of the mirrored one
	Group  string   // empty: a group of its own, named like the target
	Weight int      // share of the group's requests, relative to its other targets

	Paths    []string // patterns of which the path of a request of the group matches one, see filter.go; empty: all
	Hosts    []string // likewise of its host, without the port
	Upgrades bool     // requests that ask for another protocol, such as WebSocket, are mirrored too

	Sample  float64       // share of the requests that the group gets, 0 to 1
	Methods []string      // empty: all
	Rate    float64       // requests a second at most; 0: no limit
	Conns   int           // connections at most
	HTTP    HTTPVersion   // of connections over TLS; those of h2c are HTTP/2, those of http HTTP/1.1
	Batch   int           // requests in flight on one connection at most; 0: one, or defaultStreams over HTTP/2
	Queue   int           // requests that wait at most
	Drop    DropPolicy    // who goes when the queue is full
	Timeout time.Duration // for connecting, and for each response
	MaxAge  time.Duration // a request that waited longer is dropped as stale
	Host    string        // HostKeep, HostTarget, or the value of the Host field

	SetHeaders []Header // besides those of Config
	DelHeaders []string
	Rewrite    Rewrite

	TLS        *tls.Config // nil: that of Config
	TLSFiles   TLSFiles    // that TLS was made of
	ServerName string      // that the target's certificate has to have; empty: that of the URL

	Against string // what its responses are compared with: AgainstProduction, or the name of another target
	Noise   string // a target that is a second copy of Against: what the two respond differently is noise; empty: none

	Recording Recording // of a target whose URL is file or kafka

	paused bool // set by a tuning only
}

// DefaultTarget returns the defaults of the options that have one.
func DefaultTarget() TargetConfig {
	return TargetConfig{
		Weight:  1,
		Sample:  1,
		Conns:   64,
		Queue:   8192,
		Drop:    DropNewest,
		Timeout: 5 * time.Second,
		MaxAge:  10 * time.Second,
		Host:    HostKeep,
		Against: AgainstProduction,
	}
}

// TLSFiles are the names of PEM files.
type TLSFiles struct{ CA, Cert, Key string }

// Rewrite replaces the beginning of the path of a request.
type Rewrite = wire.Rewrite

// Trace says what becomes of the trace context of a request.
type Trace = wire.Trace

// ParseTrace reads keep, new or drop.
func ParseTrace(s string) (Trace, error) { return wire.ParseTrace(s) }

// Header is a field to set on every mirrored request.
type Header = wire.Header

// Forwarded says what becomes of X-Forwarded-For in a request whose client is
// known (codec.Request.Source). In any other it stays as it is.
type Forwarded = wire.Forwarded

// What can become of it.
const (
	ForwardedKeep   = wire.ForwardedKeep
	ForwardedAppend = wire.ForwardedAppend // the client goes behind those that are there, all in one field
	ForwardedSet    = wire.ForwardedSet    // the client alone, whatever was there
)

// ParseForwarded reads one of the above by its name.
func ParseForwarded(s string) (Forwarded, error) { return wire.ParseForwarded(s) }

// Config is everything a Fanout needs to know.
type Config struct {
	Targets       []TargetConfig
	SampleBy      SampleKey
	SetHeaders    []Header // replace what the request has of that name
	DelHeaders    []string // names
	Compare       Compare  // how responses of targets are compared
	SendTruncated bool     // mirror what came of a truncated body instead of dropping it
	ForwardedFor  Forwarded
	Trace         Trace
	Memory        int64      // bytes of payload held at most
	Source        netip.Addr // local address of outgoing connections; the zero value: any
	TLS           *tls.Config
	Kafka         kafka.Login   // of recordings in a topic
	MaskKey       [32]byte      // of the hashes in recordings; all zero: a random one
	DNSTTL        time.Duration // how long the addresses of a name are used before it is looked up again; 0: for ever
	Resolver      *net.Resolver // looks names up; nil: the system's

	// Steer tells what HAProxy should send: of SteerAll requests so many. It is set
	// ten times a second; nil: never.
	Steer *atomic.Uint32

	Metrics *metrics.Set
	Logger  *slog.Logger
	// DifferenceLog gets a line for responses that differ from production's, at most
	// five a second; nil: none.
	DifferenceLog *slog.Logger

	clock func() time.Time // of a test; nil: the real one
}

// wire returns the options that decide what becomes of a request's bytes.
func (c *Config) wire() wire.Options {
	return wire.Options{
		SetHeaders: c.SetHeaders, DelHeaders: c.DelHeaders,
		SendTruncated: c.SendTruncated, ForwardedFor: c.ForwardedFor, Trace: c.Trace,
	}
}

// wireFor returns those of a target. What it sets is not set for all as well.
func (c *Config) wireFor(t *TargetConfig) wire.Options {
	o := c.wire()
	if len(t.SetHeaders) > 0 {
		o.SetHeaders = append(slices.DeleteFunc(slices.Clone(o.SetHeaders), func(h Header) bool {
			return slices.ContainsFunc(t.SetHeaders, func(own Header) bool { return strings.EqualFold(own.Name, h.Name) })
		}), t.SetHeaders...)
	}
	o.DelHeaders = slices.Concat(o.DelHeaders, t.DelHeaders)
	o.Rewrite = t.Rewrite
	return o
}

// Validate returns an error that names the option that is wrong and says what
// would be right.
func (c *Config) Validate() error {
	if len(c.Targets) == 0 {
		return fmt.Errorf("--target is missing: name at least one, like --target http://staging:8080")
	}
	if c.Memory <= 0 {
		return fmt.Errorf("--memory is %d, should be the bytes of payload to hold at most, like 512MiB", c.Memory)
	}
	if err := c.Kafka.Validate(); err != nil {
		return err
	}
	options := c.wire()
	if err := options.Validate(); err != nil {
		return err
	}
	names := map[string]bool{}
	first := map[string]*TargetConfig{}
	for i := range c.Targets {
		t := &c.Targets[i]
		if err := t.validate(); err != nil {
			return fmt.Errorf("--target %s: %w", t.Name, err)
		}
		options := c.wireFor(t)
		if err := options.Validate(); err != nil {
			return fmt.Errorf("--target %s: %s", t.Name, strings.TrimPrefix(err.Error(), "--"))
		}
		if err := checkFamily(c.Source, t.URL.Hostname()); err != nil {
			return fmt.Errorf("--target %s: %w", t.Name, err)
		}
		if names[t.Name] {
			return fmt.Errorf("--target %s: the name is taken by another target; give each its own, like %s2=%s", t.Name, t.Name, t.URL.Redacted())
		}
		names[t.Name] = true
		g := t.groupName()
		if first[g] == nil {
			first[g] = t
		}
		if err := first[g].agrees(t); err != nil {
			return fmt.Errorf("--target %s: %w", t.Name, err)
		}
	}
	if err := c.Compare.validate(); err != nil {
		return err
	}
	return c.validateLinks()
}

// checkFamily finds a target that could never be reached from source.
func checkFamily(source netip.Addr, host string) error {
	addr, err := netip.ParseAddr(host)
	if err != nil || !source.IsValid() || addr.Is4() == source.Is4() {
		return nil
	}
	return fmt.Errorf("%s cannot be reached from --source %s: one is IPv4, the other IPv6", addr, source)
}

func (t *TargetConfig) groupName() string {
	if t.Group == "" {
		return t.Name
	}
	return t.Group
}

// agrees checks that two targets of one group describe the same group. Both
// must have named it: a lone target's name is no group to join by accident.
func (t *TargetConfig) agrees(u *TargetConfig) error {
	g := t.groupName()
	switch {
	case t == u:
		return nil
	case t.Group == "" || u.Group == "":
		return fmt.Errorf("group %s is also the name of a target without a group; rename one", g)
	case t.Sample != u.Sample:
		return fmt.Errorf("sample is %s here but %s at %s, and both are in group %s; a group has one sample",
			FormatShare(u.Sample), FormatShare(t.Sample), t.Name, g)
	case !slices.Equal(t.Methods, u.Methods):
		return fmt.Errorf("methods are not those of %s, and both are in group %s; a group has one list of methods", t.Name, g)
	case !slices.Equal(t.Paths, u.Paths) || !slices.Equal(t.Hosts, u.Hosts) || t.Upgrades != u.Upgrades:
		return fmt.Errorf("path, hosts or upgrade are not those of %s, and both are in group %s; a group has one filter", t.Name, g)
	}
	return nil
}

func (t *TargetConfig) validate() error {
	if err := checkName("name", t.Name); err != nil {
		return err
	}
	if err := checkName("group", t.groupName()); err != nil {
		return err
	}
	if err := t.validateURL(); err != nil {
		return err
	}
	switch {
	case !validWeight(t.Weight):
		return errWeight(t.Weight)
	case !validSample(t.Sample):
		return errSample(t.Sample)
	case !validRate(t.Rate):
		return errRate(t.Rate)
	case t.Conns < 1 || t.Conns > 65535:
		return fmt.Errorf("conns is %d, should be from 1 to 65535", t.Conns)
	case t.Batch < 0 || t.Batch > 1024:
		return errBatch(t.Batch)
	case t.Queue < 1 || t.Queue > 1<<24:
		return fmt.Errorf("queue is %d, should be from 1 to %d", t.Queue, 1<<24)
	case t.Timeout <= 0:
		return fmt.Errorf("timeout is %v, should be like 5s", t.Timeout)
	case t.Timeout > maxTime:
		return fmt.Errorf("timeout is %v, should be a day (24h) at most", t.Timeout)
	case t.MaxAge <= 0:
		return fmt.Errorf("max-age is %v, should be like 10s", t.MaxAge)
	case t.MaxAge > maxTime:
		return fmt.Errorf("max-age is %v, should be a day (24h) at most", t.MaxAge)
	case t.Host == "" || !wire.ValidHost([]byte(t.Host)):
		return fmt.Errorf("host is %q, should be keep, target or a host name", t.Host)
	}
	if err := t.validateFilter(); err != nil {
		return err
	}
	for _, m := range t.Methods {
		if !wire.ValidName([]byte(m)) {
			return fmt.Errorf("methods has %q, should be like GET+HEAD", m)
		}
	}
	return nil
}

func (t *TargetConfig) validateURL() error {
	u := t.URL
	if t.Records() {
		return t.validateRecording()
	}
	if text := t.recordingKey(); text != "" {
		return fmt.Errorf("%s is for recordings, whose URL is like file:///var/lib/mirrorgate/peak", text)
	}
	if u != nil && u.Scheme == schemeUnix {
		if u.Host != "" || u.Path == "" || u.RawQuery != "" || u.Fragment != "" || t.HTTP == HTTP2 {
			return fmt.Errorf("the URL should be like unix:///run/v2.sock; HTTP/1.1 is spoken there")
		}
		return nil
	}
	switch {
	case u == nil || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != schemeH2C || u.Hostname() == "":
		return fmt.Errorf("the URL should be like http://host:8080, https://host/prefix or h2c://host:8080")
	case t.HTTP == HTTP2 && u.Scheme == "http":
		return fmt.Errorf("http is 2, but without TLS that is a URL like h2c://%s", u.Host)
	case t.HTTP == HTTP1 && u.Scheme == schemeH2C:
		return fmt.Errorf("http is 1, but h2c is HTTP/2; the URL should be like http://%s", u.Host)
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return fmt.Errorf("the URL %s has a query or a fragment; only a path can be put in front of the mirrored one", u.Redacted())
	case u.User != nil:
		return fmt.Errorf("the URL holds a user name or password; use --set-header to send credentials")
	case !wire.ValidPath([]byte(u.EscapedPath())):
		return fmt.Errorf("the URL's path has a byte that HTTP forbids")
	case !validPort(u.Port()):
		return fmt.Errorf("the URL's port is %s, should be from 1 to 65535", u.Port())
	}
	return nil
}

// maxTime bounds timeout and max-age: longer ones are slips of the finger.
const maxTime = 24 * time.Hour

// What can be tuned while it runs is checked there, too.

const maxWeight = 1 << 20 // so that sums never overflow

func validSample(share float64) bool { return share >= 0 && share <= 1 }
func validRate(rate float64) bool    { return rate >= 0 && !math.IsInf(rate, 0) }
func validWeight(weight int) bool    { return weight >= 1 && weight <= maxWeight }

func errSample(share float64) error {
	return fmt.Errorf("sample is %v, should be from 0%% to 100%%", share)
}

func errRate(rate float64) error {
	return fmt.Errorf("rate is %v, should be like 200/s", rate)
}

func errBatch(batch int) error {
	return fmt.Errorf("batch is %d, should be from 1 to 1024", batch)
}

func errWeight(weight int) error {
	return fmt.Errorf("weight is %d, should be from 1 to %d", weight, maxWeight)
}

func validPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return port == "" || err == nil && n > 0
}

// checkName keeps names usable as metric labels, in logs and on command lines.
func checkName(what, name string) error {
	ok := name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.", r))
	})
	if !ok {
		return fmt.Errorf("%s is %q, should be of letters, digits, '-', '_' and '.'", what, name)
	}
	return nil
}
