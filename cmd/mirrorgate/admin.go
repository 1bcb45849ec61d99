package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// adminServer serves what operators look at. It is not ready until it is told.
// One without a listener serves nothing, and its methods do no harm.
type adminServer struct {
	listener net.Listener
	server   *http.Server
	ready    atomic.Bool
	set      *metrics.Set
}

const adminIndex = `mirrorgate

/metrics       counters and gauges, in Prometheus text format
/healthz       200 while the process lives
/readyz        200 while it wants traffic, 503 before and while it drains
/debug/pprof/  profiles
`

// listenAdmin binds address and serves it; an empty address is no server.
func listenAdmin(address string, set *metrics.Set, log *slog.Logger) (*adminServer, error) {
	a := &adminServer{set: set}
	if address == "" {
		return a, nil
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w", address, cause(err))
	}
	a.listener = listener
	a.server = &http.Server{
		Handler:           a.routes(),
		ReadHeaderTimeout: 5 * time.Second,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	go a.server.Serve(listener) // ends with ErrServerClosed at close
	return a, nil
}

// cause strips from a network error what the line around it says already.
func cause(err error) error {
	var op *net.OpError
	var system *os.SyscallError
	switch {
	case errors.As(err, &system):
		return system.Err
	case errors.As(err, &op):
		return op.Err
	}
	return err
}

func (a *adminServer) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, adminIndex) })
	mux.HandleFunc("GET /metrics", a.serveMetrics)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /readyz", a.serveReady)
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}

func (a *adminServer) serveMetrics(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	writeMetrics(w, a.set)
}

func (a *adminServer) serveReady(w http.ResponseWriter, _ *http.Request) {
	if !a.ready.Load() {
		http.Error(w, "not ready", http.StatusServiceUnavailable)
		return
	}
	io.WriteString(w, "ready\n")
}

func (a *adminServer) setReady(ready bool) { a.ready.Store(ready) }

// addr returns the address that is bound, empty if there is no server.
func (a *adminServer) addr() string {
	if a.listener == nil {
		return ""
	}
	return a.listener.Addr().String()
}

func (a *adminServer) close() {
	if a.server != nil {
		a.server.Close()
	}
}
