package main

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/admin"
	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/logging"
	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/readings"
	"github.com/mirrorgate/mirrorgate/engine"
	"github.com/mirrorgate/mirrorgate/fanout"
)

// logWait is how long the end waits for a log that nobody reads.
const logWait = time.Second

// Run mirrors until a signal. The last lines of the log say what became of every
// request.
func (r *runCmd) Run() error {
	set := metrics.NewSet()
	log := logging.New(os.Stderr, r.LogLevel, r.LogFormat, set)
	log.TakeStandard()
	err := r.mirror(set, log)
	log.Finish(logWait, func(last *slog.Logger) {
		if err == nil {
			logAccounting(readings.Read(set), last)
		}
	})
	return err
}

// mirror starts everything in order, waits for a signal, and stops in order.
func (r *runCmd) mirror(set *metrics.Set, l *logging.Log) error {
	log := l.Logger()
	fanoutConfig, err := r.fanoutConfig(set, log)
	if err != nil {
		return usageError{err}
	}
	if r.LogDifferences {
		fanoutConfig.DifferenceLog = l.Unthrottled()
	}
	token, err := readToken(r.AdminTokenFile)
	if err != nil {
		return usageError{r.origins.locate(err, nil)}
	}
	stopping := make(chan os.Signal, 2)
	signal.Notify(stopping, syscall.SIGTERM, syscall.SIGINT)
	reloading := make(chan os.Signal, 1)
	signal.Notify(reloading, syscall.SIGHUP)
	reloads := r.newReloads(fanoutConfig)

	adminServer, err := admin.Listen(admin.Config{
		Address: r.Admin, Token: token, Metrics: set, Version: buildVersion(), Logger: log,
	})
	if err != nil {
		return usageError{r.origins.locate(fmt.Errorf("--admin: %w", err), nil)}
	}
	g, err := startGateway(fanoutConfig, r.engineConfig(set, log))
	if err != nil {
		return usageError{r.origins.locate(err, fanoutConfig.Targets)}
	}
	limitMemory(fanoutConfig.Memory)
	adminServer.Serve(g.fanout)
	r.announce(g, adminServer, log)
	minutesEnd := make(chan struct{})
	go everyMinute(set, log, minutesEnd)

	var stop os.Signal
	for stop == nil {
		select {
		case stop = <-stopping:
		case <-reloading:
			reloads.reload(g.fanout)
		}
	}
	drain := time.Duration(r.Drain)
	log.Info("stopping", "signal", stop.String(), "drain", drain.String())
	go exitAtOnce(stopping, l)
	close(minutesEnd)
	adminServer.Leave()
	ctx, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	g.stop(ctx, drain/2)
	adminServer.Close()
	return nil
}

// exitAtOnce ends the process when a second signal comes.
func exitAtOnce(stopping <-chan os.Signal, l *logging.Log) {
	signal := <-stopping
	l.Finish(logWait, func(last *slog.Logger) { last.Error("stopping at once", "signal", signal.String()) })
	os.Exit(exitFailed)
}

// announce logs what will happen from now on.
func (r *runCmd) announce(g *gateway, adminServer *admin.Server, log *slog.Logger) {
	for _, line := range g.fanout.Describe() {
		log.Info(line)
	}
	if r.SampleBy.SampleKey != (fanout.SampleKey{}) {
		log.Info("sampling by " + r.SampleBy.String())
	}
	if addr := adminServer.Addr(); addr != "" {
		log.Info("serving metrics", "address", addr)
	}
	for _, addr := range g.engine.Addrs() {
		log.Info("listening for HAProxy", "address", addr.String(), "version", buildVersion())
	}
}

// fanoutConfig reads the options that concern targets.
func (r *runCmd) fanoutConfig(set *metrics.Set, log *slog.Logger) (fanout.Config, error) {
	tls, err := r.tlsConfig()
	if err != nil {
		return fanout.Config{}, r.origins.locate(err, nil)
	}
	cfg := fanout.Config{
		SampleBy:      r.SampleBy.SampleKey,
		SetHeaders:    r.SetHeader,
		DelHeaders:    r.DelHeader,
		SendTruncated: r.Truncated == "send",
		Memory:        int64(r.Memory),
		Source:        r.Source.Addr,
		DNSTTL:        time.Duration(r.DNSTTL),
		TLS:           tls,
		Metrics:       set,
		ForwardedFor:  r.ForwardedFor.Forwarded,
		Logger:        log,
	}
	if r.Steer {
		cfg.Steer = new(atomic.Uint32)
	}
	for i, text := range r.Targets {
		t, err := fanout.ParseTarget(text, r.targetDefaults(), i+1)
		if err != nil {
			return fanout.Config{}, r.origins.locate(fmt.Errorf("--target %s: %w", text, err), append(cfg.Targets, fanout.TargetConfig{Name: text}))
		}
		cfg.Targets = append(cfg.Targets, t)
	}
	if err := cfg.Validate(); err != nil {
		return fanout.Config{}, r.origins.locate(err, cfg.Targets)
	}
	return cfg, nil
}

func (r *runCmd) targetDefaults() fanout.TargetConfig {
	t := fanout.DefaultTarget()
	t.Sample = float64(r.Sample)
	t.Methods = r.Methods
	t.Rate = float64(r.Rate)
	t.Conns = r.Conns
	t.Batch = r.Batch
	t.Queue = r.Queue
	t.Drop = r.Drop.Drop
	t.Timeout = time.Duration(r.Timeout)
	t.MaxAge = time.Duration(r.MaxAge)
	t.Host = r.Host
	return t
}

// ownDescriptors is what neither HAProxy nor targets need: the log, the admin
// server and its clients, listeners, event loops.
const ownDescriptors = 64

// unfinishedShare of --memory is what frames that have yet to be complete, and
// ACKs that have yet to be read, may take besides.
const unfinishedShare = 4

func (r *runCmd) engineConfig(set *metrics.Set, log *slog.Logger) engine.Config {
	cfg := engine.Config{
		Listen:           r.Listen,
		Loops:            int(r.Loops),
		Reserve:          ownDescriptors,
		MaxConns:         int(min(r.MaxConns, math.MaxInt32)),
		MaxFrameSize:     uint64(r.MaxFrameSize),
		HandshakeTimeout: time.Duration(r.HandshakeTimeout),
		Memory:           int64(r.Memory) / unfinishedShare,
		Metrics:          set,
		Logger:           log,
	}
	for _, n := range r.Allow {
		cfg.Allow = append(cfg.Allow, n.Prefix)
	}
	return cfg
}
