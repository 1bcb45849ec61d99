package main

import (
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/options"
	"github.com/mirrorgate/mirrorgate/fanout"
)

// reloads reads the configuration again while the gateway runs.
type reloads struct {
	started *options.Options
	conns   int // that descriptors were kept free for
	set     *metrics.Set
	log     *slog.Logger

	successful atomic.Bool
	succeeded  atomic.Int64 // when it last did, in seconds since 1970
}

func newReloads(started *options.Options, cfg fanout.Config) *reloads {
	l := &reloads{started: started, conns: connsOf(cfg.Targets), set: cfg.Metrics, log: cfg.Logger}
	l.succeed()
	l.set.NewGauge("mirrorgate_config_last_reload_successful", func() float64 {
		if l.successful.Load() {
			return 1
		}
		return 0
	})
	l.set.NewGauge("mirrorgate_config_last_reload_success_timestamp_seconds", func() float64 { return float64(l.succeeded.Load()) })
	return l
}

func (l *reloads) succeed() {
	l.succeeded.Store(time.Now().Unix())
	l.successful.Store(true)
}

// follow reloads at each signal until done is closed. It has a goroutine of its own,
// which nobody waits for, since a file system may take for ever.
func (l *reloads) follow(signals <-chan os.Signal, done <-chan struct{}, f *fanout.Fanout) {
	for {
		select {
		case <-signals:
			l.reload(f)
		case <-done:
			return
		}
	}
}

// reload puts what the file says now in force, if it is right. What the command
// line and the environment say stays.
func (l *reloads) reload(f *fanout.Fanout) {
	if l.started.Config == "" {
		l.log.Warn("nothing to reload: there is no configuration file (--config)")
		return
	}
	l.log.Info("reading the configuration again", "file", l.started.Config)
	if err := l.try(f); err != nil {
		l.successful.Store(false)
		l.log.Error("cannot reload the configuration, the old one stays in force", "error", options.HideSecrets(err.Error()))
		return
	}
	l.succeed()
	l.log.Info("configuration reloaded")
	for _, line := range append(f.Describe(), comparing(f.Compared())...) {
		l.log.Info(line)
	}
}

func (l *reloads) try(f *fanout.Fanout) error {
	_, c, err := parse(os.Args[1:])
	if err != nil {
		return err
	}
	next := &c.Run.Options
	kept := next.Keep(l.started)
	cfg, err := next.Fanout(l.set, l.log)
	if err != nil {
		return err
	}
	if err := f.Reload(cfg); err != nil {
		return next.Locate(err, cfg.Targets)
	}
	limitMemory(cfg.Memory)
	for _, warning := range next.Warnings() {
		l.log.Warn(warning)
	}
	if len(kept) > 0 {
		l.log.Warn("some options change only at a restart, the old values stay in force", "options", strings.Join(kept, " "))
	}
	if conns := connsOf(cfg.Targets); conns > l.conns {
		l.log.Warn("targets may open more connections than files were kept free for: restart to make room", "conns", conns, "kept", l.conns)
	}
	return nil
}

func connsOf(targets []fanout.TargetConfig) (conns int) {
	for _, t := range targets {
		if !t.Records() {
			conns += t.Conns
		}
	}
	return conns
}
