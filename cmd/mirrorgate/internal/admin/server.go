package admin

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/mirrorgate/mirrorgate/engine"
	"github.com/mirrorgate/mirrorgate/fanout"
)

// maxConns bounds the connections.
const maxConns = 32

// The times that a peer has, for what it sends and to read what it asked for. A
// profile takes as long as it was asked to, and then this for its last bytes.
const (
	headTime  = 5 * time.Second
	idleTime  = time.Minute
	writeTime = 10 * time.Second
)

// Config is what the server shows, and where.
type Config struct {
	Address string       // HOST:PORT; empty: no server
	Token   string       // the secret that everything but health asks for; empty: none, on loopback only
	Metrics *metrics.Set // those of the gateway
	Version string
	Logger  *slog.Logger
}

// Server serves what operators look at. Make one with Listen, let it serve with
// Serve and end it with Close. One without an address serves nothing, and its
// methods do no harm.
type Server struct {
	cfg      Config
	listener *limitedListener
	server   *http.Server
	ready    atomic.Bool
	fanout   *fanout.Fanout
	ignored  func() []engine.IgnoredMessage
	history  *history
	stop     chan struct{}
	tuning   sync.Mutex // so that before and after are of one change
}

// Listen binds the address. Who connects waits until Serve.
func Listen(cfg Config) (*Server, error) {
	s := &Server{cfg: cfg}
	if cfg.Address == "" {
		return s, nil
	}
	listener, err := net.Listen("tcp", cfg.Address)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w", cfg.Address, cause(err))
	}
	if err := cfg.checkToken(listener.Addr().(*net.TCPAddr)); err != nil {
		_ = listener.Close()
		return nil, err
	}
	s.listener = limitConns(listener, maxConns)
	return s, nil
}

// Validate returns the error that Listen would, as far as it shows without
// binding the address.
func (cfg *Config) Validate() error {
	if cfg.Address == "" {
		return nil
	}
	addr, err := net.ResolveTCPAddr("tcp", cfg.Address)
	if err != nil {
		return fmt.Errorf("cannot listen on %s: %w", cfg.Address, err)
	}
	return cfg.checkToken(addr)
}

func (cfg *Config) checkToken(addr *net.TCPAddr) error {
	if cfg.Token == "" && !addr.IP.IsLoopback() {
		return fmt.Errorf("%s is not on loopback: give a token with --admin-token-file, or an address like 127.0.0.1:12346", cfg.Address)
	}
	return nil
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

// Serve serves from now on, for a gateway that is ready, receives with e and sends with
// f; e is nil if HAProxy has no part in it.
func (s *Server) Serve(e *engine.Server, f *fanout.Fanout) {
	if s.listener == nil {
		return
	}
	s.fanout, s.ignored = f, func() []engine.IgnoredMessage { return nil }
	if e != nil {
		s.ignored = e.Ignored
	}
	s.history = newHistory(s.cfg.Metrics, f)
	s.stop = make(chan struct{})
	go s.history.run(s.stop)
	s.ready.Store(true)
	s.server = &http.Server{
		Handler:           marksBusy(guard(s.cfg.Token, s.routes())),
		ConnContext:       withConn,
		ReadHeaderTimeout: headTime,
		WriteTimeout:      writeTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(s.cfg.Logger.Handler(), slog.LevelDebug),
	}
	go s.server.Serve(s.listener) // ends with ErrServerClosed at Close
}

// routes has no /debug/pprof/cmdline: arguments may hold secrets.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", servePage)
	mux.HandleFunc("GET /api/targets", s.serveTargets)
	mux.HandleFunc("GET /api/stats", s.serveStats)
	mux.HandleFunc("GET /api/history", s.serveHistory)
	mux.HandleFunc("GET /api/differences", s.serveDifferences)
	mux.HandleFunc("GET /api/compare", s.serveCompare)
	mux.HandleFunc("GET /api/verdict", s.serveVerdict)
	mux.HandleFunc("POST /api/verdict", s.serveVerdict)
	mux.HandleFunc("POST /api/verdict/fresh", s.serveFresh)
	mux.HandleFunc("PATCH /api/groups/{name}", s.patchGroup)
	mux.HandleFunc("PATCH /api/targets/{name}", s.patchTarget)
	mux.HandleFunc("GET /metrics", s.serveMetrics)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /readyz", s.serveReady)
	debug := http.NewServeMux()
	debug.HandleFunc("/debug/pprof/", pprof.Index)
	debug.HandleFunc("/debug/pprof/profile", pprof.Profile)
	debug.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	debug.HandleFunc("/debug/pprof/trace", pprof.Trace)
	mux.Handle("/debug/", sameSite(debug))
	return sameOrigin(mux)
}

func (s *Server) serveMetrics(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	writeMetrics(w, s.cfg.Metrics, s.cfg.Version)
}

func (s *Server) serveReady(w http.ResponseWriter, _ *http.Request) {
	if !s.ready.Load() {
		http.Error(w, "not ready", http.StatusServiceUnavailable)
		return
	}
	io.WriteString(w, "ready\n")
}

// SetNotReady has /readyz say from now on that no traffic is wanted any more.
func (s *Server) SetNotReady() { s.ready.Store(false) }

// Addr returns the address that is bound, empty if there is no server.
func (s *Server) Addr() string {
	if s.listener == nil {
		return ""
	}
	return s.listener.Addr().String()
}

// Close ends the server and all connections to it.
func (s *Server) Close() {
	if s.server != nil {
		close(s.stop)
		s.server.Close()
	}
}
