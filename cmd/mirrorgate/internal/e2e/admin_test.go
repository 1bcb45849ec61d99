package e2e

import (
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Clients that ask without end and never read do not keep others from the admin
// address, long before what they hold up is given up.
func TestAdminClientsThatNeverRead(t *testing.T) {
	a := startAgent(t, "--target", "http://127.0.0.1:1")
	asks := []byte(strings.Repeat("GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 100))
	for range 40 {
		c, err := net.Dial("tcp", a.admin)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
			t.Fatal(err)
		}
		c.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
		for err == nil { // until it is full on both sides, or has to go
			_, err = c.Write(asks)
		}
	}
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for _, path := range []string{"/readyz", "/metrics"} {
		asked := time.Now()
		status, _ := a.read(client.Get("http://" + a.admin + path))
		t.Logf("%s answers %d after %v", path, status, time.Since(asked).Round(time.Millisecond))
		if status != http.StatusOK {
			t.Errorf("%s answers %d", path, status)
		}
	}
}

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
