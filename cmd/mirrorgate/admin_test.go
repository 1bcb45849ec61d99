package main

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
	f("/debug/pprof/cmdline", http.StatusOK, "--target")
	f("/metrics", http.StatusOK, `mirrorgate_build_info{version="v1.2.3-test"} 1`)
	f("/metrics", http.StatusOK, "process_resident_memory_bytes")
	f("/metrics", http.StatusOK, "go_goroutines")
	f("/nothing", http.StatusNotFound, "")
}

// Each family of ours has its HELP and TYPE once, in front of its series.
func TestMetricsHaveHelp(t *testing.T) {
	target := startRecorder(t)
	a := startAgent(t, "--target", target.url())
	_, page := a.get("/metrics")
	help, types := map[string]int{}, map[string]int{}
	series := 0
	for line := range strings.Lines(page) {
		fields := strings.Fields(line)
		switch {
		case strings.HasPrefix(line, "# HELP "):
			help[fields[2]]++
			if len(fields) < 4 {
				t.Errorf("no text in %q", line)
			}
		case strings.HasPrefix(line, "# TYPE "):
			types[fields[2]]++
		case strings.HasPrefix(line, "mirrorgate_"):
			series++
			family, _, _ := strings.Cut(fields[0], "{")
			if types[family] == 0 {
				for _, suffix := range []string{"_bucket", "_sum", "_count"} {
					family = strings.TrimSuffix(family, suffix)
				}
			}
			if help[family] != 1 || types[family] != 1 {
				t.Errorf("%s has %d HELP and %d TYPE in front of %s", family, help[family], types[family], line)
			}
		}
	}
	if series < 50 {
		t.Errorf("only %d series", series)
	}
	for family := range metricHelp {
		if types[family] == 0 {
			t.Errorf("there is a text for %s, which does not exist", family)
		}
	}
}
