package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/admin"
	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/logging"
	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/options"
	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/readings"
	"github.com/mirrorgate/mirrorgate/fanout"
)

// runCmd mirrors what HAProxy sends.
type runCmd struct{ options.Options }

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
			readings.Read(set).Log(last)
		}
	})
	return err
}

// mirror starts everything in order, waits for a signal, and stops in order.
func (r *runCmd) mirror(set *metrics.Set, l *logging.Log) error {
	log := l.Logger()
	fanoutConfig, err := r.Fanout(set, log)
	if err != nil {
		return usageError{err}
	}
	if r.LogDifferences {
		fanoutConfig.DifferenceLog = l.Unthrottled()
	}
	token, err := r.AdminToken()
	if err != nil {
		return usageError{err}
	}
	stopping := make(chan os.Signal, 2)
	signal.Notify(stopping, syscall.SIGTERM, syscall.SIGINT)
	reloading := make(chan os.Signal, 1)
	signal.Notify(reloading, syscall.SIGHUP)
	reloads := newReloads(&r.Options, fanoutConfig)

	adminServer, err := admin.Listen(admin.Config{
		Address: r.Admin, Token: token, Metrics: set, Version: buildVersion(), Logger: log,
	})
	if err != nil {
		return usageError{r.Locate(fmt.Errorf("--admin: %w", err), nil)}
	}
	g, err := startGateway(fanoutConfig, r.Engine(set, log))
	if err != nil {
		return usageError{r.Locate(err, fanoutConfig.Targets)}
	}
	limitMemory(fanoutConfig.Memory)
	adminServer.Serve(g.engine, g.fanout)
	r.announce(g, adminServer, log)
	ending := make(chan struct{})
	go readings.EveryMinute(set, log, ending)
	go reloads.follow(reloading, ending, g.fanout)

	stop := <-stopping
	drain := time.Duration(r.Drain)
	log.Info("stopping", "signal", stop.String(), "drain", drain.String())
	go exitAtOnce(stopping, l)
	close(ending)
	adminServer.SetNotReady()
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
	for _, warning := range r.Warnings() {
		log.Warn(warning)
	}
	for _, line := range g.fanout.Describe() {
		log.Info(line)
	}
	for _, line := range comparing(g.fanout.Compared()) {
		log.Info(line)
	}
	if groups := writtenTo(g.fanout.Groups()); groups != "" {
		log.Info("writes (POST, PUT, PATCH, DELETE) are mirrored too, methods=GET+HEAD would leave them out", "groups", groups)
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

// writtenTo names the groups that get requests which change something.
func writtenTo(groups []fanout.GroupState) string {
	var names []string
	for _, g := range groups {
		if len(g.Methods) == 0 || slices.ContainsFunc(g.Methods, func(m string) bool { return !slices.Contains(safeMethods, m) }) {
			names = append(names, g.Name)
		}
	}
	return strings.Join(names, " ")
}

// besidesPayload is what Go's heap, stacks and garbage may take besides the
// payloads, in bytes. With the program itself it stays below the 64 MiB that
// README promises.
const besidesPayload = 48 << 20

// limitMemory keeps garbage from doubling what the payloads need: near the limit
// Go collects earlier. GOMEMLIMIT, if it is set, says better what there is.
func limitMemory(payload int64) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(payload + besidesPayload)
	}
}
