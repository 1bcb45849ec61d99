package admin

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/VictoriaMetrics/metrics"
	"go.uber.org/goleak"

	"github.com/mirrorgate/mirrorgate/engine"
	"github.com/mirrorgate/mirrorgate/fanout"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newServer returns a server of a gateway with these targets that listens
// nowhere: requests are handed to its routes. It takes no readings by itself.
func newServer(t *testing.T, targets ...string) *Server {
	t.Helper()
	cfg := fanoutConfig(t, targets...)
	f, err := fanout.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Drain(context.Background()) })
	s := &Server{
		cfg:     Config{Metrics: cfg.Metrics, Version: "v1.2.3", Logger: slog.New(slog.DiscardHandler)},
		fanout:  f,
		ignored: func() []engine.IgnoredMessage { return nil },
		history: newHistory(cfg.Metrics, f),
	}
	s.ready.Store(true)
	return s
}

func fanoutConfig(t *testing.T, targets ...string) fanout.Config {
	t.Helper()
	cfg := fanout.Config{Memory: 64 << 20, Metrics: metrics.NewSet(), Logger: slog.New(slog.DiscardHandler)}
	for i, text := range targets {
		target, err := fanout.ParseTarget(text, fanout.DefaultTarget(), i+1)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Targets = append(cfg.Targets, target)
	}
	return cfg
}

// ask hands a request to the server, past the guard.
func ask(s *Server, method, path, body string, header ...string) (status int, response string) {
	r := httptest.NewRequest(method, "http://127.0.0.1:12346"+path, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.routes().ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func get(t *testing.T, s *Server, path string) string {
	t.Helper()
	status, response := ask(s, http.MethodGet, path, "")
	if status != http.StatusOK {
		t.Fatalf("GET %s answers %d and %s", path, status, response)
	}
	return response
}

// count adds to a counter of the gateway, as its traffic does.
func (s *Server) count(series string, n int) { s.cfg.Metrics.GetOrCreateCounter(series).Add(n) }
