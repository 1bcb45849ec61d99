package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

// Beyond loopback, nothing but health is to be had without the token.
func TestAdminToken(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("\n the-token \n"), 0o600); err != nil {
		t.Fatal(err)
	}
	a := startAgent(t, "--target", "http://127.0.0.1:1", "--admin", "0.0.0.0:0", "--admin-token-file", file)
	f := func(path, password string, want int) {
		t.Helper()
		req, err := http.NewRequest(http.MethodGet, "http://"+a.admin+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.SetBasicAuth("prometheus", password)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s with the password %q answers %d, want %d", path, password, resp.StatusCode, want)
		}
	}
	f("/metrics", "", http.StatusUnauthorized)
	f("/metrics", "a-token", http.StatusUnauthorized)
	f("/metrics", "the-token", http.StatusOK)
	f("/debug/pprof/", "", http.StatusUnauthorized)
	f("/healthz", "", http.StatusOK)
	f("/readyz", "", http.StatusOK)
}

// A token that everybody may read is told of, at the start and by check.
func TestOpenTokenIsToldOf(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("the-token"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	const target = "--target=http://127.0.0.1:1"
	want := "--admin-token-file " + file + ": everybody on this host may read or change this secret: chmod o= " + file
	if code, _, stderr := mirrorgate(t, nil, "check", target, "--admin-token-file", file); code != 0 || stderr != "mirrorgate: warning: "+want+"\n" {
		t.Errorf("check: exit code %d and %s", code, stderr)
	}
	if a := startAgent(t, target, "--admin-token-file", file); len(a.log.all(want)) != 1 {
		t.Errorf("the log does not tell: %s", a.log)
	}
}
