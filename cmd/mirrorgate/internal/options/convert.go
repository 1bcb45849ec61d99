package options

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/url"
	"path"
	"strings"
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/admin"
	"github.com/mirrorgate/mirrorgate/engine"
	"github.com/mirrorgate/mirrorgate/fanout"
)

// Fanout reads the options that concern targets. Whatever is wrong with them is
// an error that names the option, and where it comes from.
func (o *Options) Fanout(set *metrics.Set, log *slog.Logger) (fanout.Config, error) {
	tls, err := TLS{o.TLSCA, o.TLSCert, o.TLSKey, o.TLSInsecure}.Config()
	if err != nil {
		return fanout.Config{}, o.Locate(err, nil)
	}
	cfg := fanout.Config{
		SampleBy:      o.SampleBy.SampleKey,
		SetHeaders:    o.SetHeader,
		DelHeaders:    o.DelHeader,
		SendTruncated: o.Truncated == "send",
		Memory:        int64(o.Memory),
		Source:        o.Source.Addr,
		DNSTTL:        time.Duration(o.DNSTTL),
		TLS:           tls,
		Metrics:       set,
		ForwardedFor:  o.ForwardedFor.Forwarded,
		Trace:         o.Trace.Trace,
		Compare:       o.compare(),
		Logger:        log,
	}
	if cfg.MaskKey, err = readMaskKey(o.MaskKeyFile); err != nil {
		return fanout.Config{}, o.Locate(err, nil)
	}
	if cfg.Kafka, err = o.Login(TLS{o.TLSCA, o.TLSCert, o.TLSKey, o.TLSInsecure}); err != nil {
		return fanout.Config{}, o.Locate(err, nil)
	}
	if len(o.Unmask) > 0 && o.AdminTokenFile == "" {
		return fanout.Config{}, o.Locate(errUnmask, nil)
	}
	if o.Steer {
		cfg.Steer = new(atomic.Uint32)
	}
	if cfg.Targets, err = o.ParseTargets(); err != nil {
		return fanout.Config{}, err
	}
	for i := range cfg.Targets {
		if err := o.targetTLS(&cfg.Targets[i]); err != nil {
			return fanout.Config{}, o.Locate(err, cfg.Targets)
		}
	}
	if err := cfg.Validate(); err != nil {
		return fanout.Config{}, o.Locate(err, cfg.Targets)
	}
	return cfg, nil
}

var errUnmask = errors.New("--unmask needs --admin-token-file: what is not masked is shown by the admin server")

func (o *Options) compare() fanout.Compare {
	return fanout.Compare{
		Ignore:     o.Ignore,
		Routes:     o.Route,
		Body:       int64(o.CompareBody),
		CPU:        float64(o.CompareCPU),
		NoExamples: o.Examples == "off",
		Mask:       o.Mask,
		Unmask:     o.Unmask,
		Warmup:     time.Duration(o.Warmup),
	}
}

// targetTLS reads the files of a target that has some of its own; what it does not name
// is that of all.
func (o *Options) targetTLS(t *fanout.TargetConfig) error {
	own := t.TLSFiles
	if own == (fanout.TLSFiles{}) {
		return nil
	}
	files := TLS{cmp.Or(own.CA, o.TLSCA), o.TLSCert, o.TLSKey, o.TLSInsecure}
	if own.Cert != "" || own.Key != "" {
		files.Cert, files.Key = own.Cert, own.Key
	}
	cfg, err := files.Config()
	if err != nil {
		return fmt.Errorf("--target %s: %s", t.Name, strings.ReplaceAll(err.Error(), "--tls-", "tls-"))
	}
	t.TLS = cfg
	return nil
}

// ParseTargets reads the options of each target by itself: not whether they go together,
// and no files that they name.
func (o *Options) ParseTargets() (all []fanout.TargetConfig, err error) {
	for i, text := range o.Targets {
		t, err := fanout.ParseTarget(text, o.targetDefaults(), i+1)
		if err != nil {
			return nil, o.Locate(fmt.Errorf("--target %s: %w", text, err), append(all, fanout.TargetConfig{Name: text}))
		}
		all = append(all, t)
	}
	o.nameTargets(all)
	return all, nil
}

// nameTargets names those that have no name of their own after their host, or after the
// last folder where there is none.
func (o *Options) nameTargets(all []fanout.TargetConfig) {
	taken := make(map[string]bool)
	for i, text := range o.Targets[:len(all)] {
		if hasName(text) {
			taken[all[i].Name] = true
		}
	}
	for i, text := range o.Targets[:len(all)] {
		if hasName(text) {
			continue
		}
		plain := nameOf(all[i].URL)
		all[i].Name = plain
		for n := 2; taken[all[i].Name]; n++ {
			all[i].Name = fmt.Sprintf("%s-%d", plain, n)
		}
		taken[all[i].Name] = true
	}
}

// hasName reports whether the text of a target begins with NAME=.
func hasName(text string) bool {
	name, _, ok := strings.Cut(strings.Split(text, ",")[0], "=")
	return ok && !strings.ContainsAny(name, ":/?")
}

// nameOf makes a name of the host of a URL: what a name may not have becomes a hyphen.
func nameOf(u *url.URL) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.", r) {
			return r
		}
		return '-'
	}, cmp.Or(u.Hostname(), path.Base(u.Path)))
}

func (o *Options) targetDefaults() fanout.TargetConfig {
	t := fanout.DefaultTarget()
	t.Sample = float64(o.Sample)
	t.Methods = o.Methods
	t.Rate = float64(o.Rate)
	t.Conns = o.Conns
	t.Batch = o.Batch
	t.Queue = o.Queue
	t.Drop = o.Drop.DropPolicy
	t.Timeout = time.Duration(o.Timeout)
	t.MaxAge = time.Duration(o.MaxAge)
	t.Host = o.Host
	return t
}

// OwnDescriptors is what neither HAProxy nor targets need: the log, the admin
// server and its clients, listeners, event loops.
const OwnDescriptors = 64

// unfinishedShare of --memory is what frames that have yet to be complete, and
// ACKs that have yet to be read, may take besides.
const unfinishedShare = 4

// Engine reads the options that concern HAProxy.
func (o *Options) Engine(set *metrics.Set, log *slog.Logger) engine.Config {
	cfg := engine.Config{
		Listen:           o.Listen,
		Loops:            int(o.Loops),
		Reserve:          OwnDescriptors,
		MaxConns:         int(min(o.MaxConns, math.MaxInt32)),
		FitConns:         o.fitConns(),
		MaxFrameSize:     uint64(o.MaxFrameSize),
		HandshakeTimeout: time.Duration(o.HandshakeTimeout),
		Memory:           int64(o.Memory) / unfinishedShare,
		Metrics:          set,
		Logger:           log,
	}
	for _, n := range o.Allow {
		cfg.Allow = append(cfg.Allow, n.Prefix)
	}
	return cfg
}

// fitConns returns how many connections from HAProxy there is memory for; 0: no
// limit of it is known.
func (o *Options) fitConns() int {
	if limit := memoryLimit("/"); limit > 0 {
		return ConnsWithin(limit, int64(o.Memory))
	}
	return 0
}

// Check returns the error that a start would, as far as it shows without binding
// an address, and what it would send to.
func (o *Options) Check() ([]fanout.TargetConfig, error) {
	cfg, err := o.Fanout(metrics.NewSet(), slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	token, err := o.AdminToken()
	if err != nil {
		return nil, err
	}
	a := admin.Config{Address: o.Admin, Token: token}
	if err := a.Validate(); err != nil {
		return nil, o.Locate(fmt.Errorf("--admin: %w", err), nil)
	}
	for _, addr := range o.Listen {
		if err := engine.CheckAddress(addr); err != nil {
			return nil, o.Locate(fmt.Errorf("--listen: %w", err), nil)
		}
	}
	return cfg.Targets, nil
}
