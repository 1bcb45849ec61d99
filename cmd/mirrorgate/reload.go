package main

import (
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/mirrorgate/mirrorgate/fanout"
)

// reloadable reports whether the option follows a reload: targets, what applies
// to all of them, and what is done to requests. The others are for the whole
// life of the process.
func reloadable(option string) bool {
	switch option {
	case targetOption, "sample-by", "set-header", "del-header", "truncated", "forwarded-for":
		return true
	}
	return slices.Contains(fanout.TargetKeys(), option)
}

// reloads reads the configuration again while the gateway runs.
type reloads struct {
	started *runCmd
	conns   int // that descriptors were kept free for
	set     *metrics.Set
	log     *slog.Logger

	successful atomic.Bool
	succeeded  atomic.Int64 // when it last did, in seconds since 1970
}

func (r *runCmd) newReloads(cfg fanout.Config) *reloads {
	l := &reloads{started: r, conns: connsOf(cfg.Targets), set: cfg.Metrics, log: cfg.Logger}
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

// reload puts what the file says now in force, if it is right. What the command
// line and the environment say stays.
func (l *reloads) reload(f *fanout.Fanout) {
	if l.started.Config == "" {
		l.log.Warn("nothing to reload: there is no configuration file (--config)")
		return
	}
	if err := l.try(f); err != nil {
		l.successful.Store(false)
		l.log.Error("cannot reload the configuration, the old one stays in force", "error", hideSecrets(err.Error()))
		return
	}
	l.succeed()
	l.log.Info("configuration reloaded")
	for _, line := range f.Describe() {
		l.log.Info(line)
	}
}

func (l *reloads) try(f *fanout.Fanout) error {
	_, c, err := parse()
	if err != nil {
		return err
	}
	next := &c.Run
	kept := next.keep(l.started)
	cfg, err := next.fanoutConfig(l.set, l.log)
	if err != nil {
		return err
	}
	if err := f.Reload(cfg); err != nil {
		return next.origins.locate(err, cfg.Targets)
	}
	limitMemory(cfg.Memory)
	if len(kept) > 0 {
		l.log.Warn("some options change only at a restart, the old values stay in force", "options", strings.Join(kept, " "))
	}
	if conns := connsOf(cfg.Targets); conns > l.conns {
		l.log.Warn("targets may open more connections than files were kept free for: restart to make room", "conns", conns, "kept", l.conns)
	}
	return nil
}

// keep takes the options that do not follow a reload from those of the start,
// and returns the names of those that differ.
func (r *runCmd) keep(started *runCmd) (differ []string) {
	for i, flag := range r.origins.options {
		old := started.origins.options[i]
		if reloadable(flag.Name) || reflect.DeepEqual(flag.Target.Interface(), old.Target.Interface()) {
			continue
		}
		differ = append(differ, flag.Name)
		flag.Target.Set(old.Target)
	}
	return differ
}

func connsOf(targets []fanout.TargetConfig) (conns int) {
	for _, t := range targets {
		conns += t.Conns
	}
	return conns
}
