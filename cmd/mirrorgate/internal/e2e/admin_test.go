package e2e

import (
	"net/http"
	"strings"
	"testing"
)

func TestAdmin(t *testing.T) {
	target := startRecorder(t)
	a := startAgent(t, "--target", target.url())
	f := func(path string, wantStatus int, want string) {
		t.Helper()
		if status, body := a.get(path); status != wantStatus || !strings.Contains(body, want) {
			t.Errorf("%s answers %d and %.300q, want %d and %q in it", path, status, body, wantStatus, want)
		}
	}
	f("/", http.StatusOK, "/metrics")
	f("/healthz", http.StatusOK, "ok")
	f("/readyz", http.StatusOK, "ready")
	f("/debug/pprof/", http.StatusOK, "goroutine")
	f("/debug/pprof/heap", http.StatusOK, "")
	f("/debug/pprof/cmdline", http.StatusNotFound, "")
	f("/metrics", http.StatusOK, `mirrorgate_build_info{version="v1.2.3-test"} 1`)
	f("/metrics", http.StatusOK, "process_resident_memory_bytes")
	f("/metrics", http.StatusOK, "go_goroutines")
	f("/nothing", http.StatusNotFound, "")
}
